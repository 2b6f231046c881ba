"""Errors of the training."""

from cfvgg.errors import TrackerError


class DistillationError(TrackerError, ValueError):
    """The training cannot start or go on: settings, pictures, teacher, checkpoint or loss."""
