"""Teachers: frozen networks whose outputs a student learns to give. Each file knows one kind; `load_teacher` tells them apart."""

from distill.teachers.backbone import Backbone
from distill.teachers.base import Tap, Teacher
from distill.teachers.load import check_teacher, load_teacher
from distill.teachers.module import ModuleTeacher

__all__ = ["Backbone", "ModuleTeacher", "Tap", "Teacher", "check_teacher", "load_teacher"]
