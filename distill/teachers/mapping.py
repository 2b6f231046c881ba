"""Which tap of a teacher teaches which level, as the command line says it."""

import re
from collections.abc import Iterable, Mapping

from cfvgg.architecture import LEVELS
from distill.errors import DistillationError

PAIR = re.compile(r"(\w+)=([\w.\-]+)")


def parse(spec: str) -> tuple[str, dict[str, str] | None]:
    """Split ``FILE[:level=tap,level=tap,...]``.

    What follows the last colon belongs to the path where it holds a slash or backslash, so that ``C:\\net.mat`` is a path.

    Returns
    -------
    path : str
    mapping : dict of str to str, or None
        Tap by level; None leaves it to the teacher.

    Raises
    ------
    DistillationError
        If there is no path, the mapping is not of that form, a level is unknown or named twice.
    """
    path, colon, text = spec.rpartition(":")
    if not colon or "/" in text or "\\" in text:
        path, text = spec, None
    if not path:
        raise DistillationError(f"{spec!r} names no file; a teacher is given as FILE or FILE:level=tap,level=tap")
    if text is None:
        return path, None
    mapping: dict[str, str] = {}
    for part in text.split(","):
        match = PAIR.fullmatch(part.strip())
        if not match:
            raise DistillationError(f"{part!r} in {spec!r} is not of the form level=tap")
        level, tap = match.groups()
        if level in mapping:
            raise DistillationError(f"{spec!r} names {level} twice")
        mapping[level] = tap
    check_levels(mapping)
    return path, mapping


def check_levels(mapping: Mapping[str, str]) -> None:
    """Refuse what is no level of the student.

    Raises
    ------
    DistillationError
    """
    for level in mapping:
        if level not in LEVELS:
            raise DistillationError(f"the student has no level {level!r}; it has {', '.join(LEVELS)}")


def check_taps(mapping: Mapping[str, str], taps: Iterable[str], teacher: str) -> None:
    """Refuse what is no tap of the teacher.

    Raises
    ------
    DistillationError
    """
    known = list(taps)
    for level, tap in mapping.items():
        if tap not in known:
            raise DistillationError(f"{teacher} has no tap {tap!r} for {level}; it has {', '.join(known)}")
