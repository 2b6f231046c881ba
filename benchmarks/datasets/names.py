"""Programs spell the names of targets in their own ways: Jogging-1, Jogging.1, jogging_1, jogging1."""

import difflib
import re
from collections.abc import Iterable

from trackers.errors import UnknownOptionError

# What no rule finds. Of OTB's Human4 only the second target is annotated.
ALIASES = {
    "jogging1": "jogging-1",
    "jogging2": "jogging-2",
    "skating21": "skating2-1",
    "skating22": "skating2-2",
    "human42": "human4-2",
    "human4": "human4-2",
}
_FORMS = (str, str.lower, lambda name: ALIASES.get(plain := re.sub("[._]", "-", name.lower()), plain))


def meant(name: str, names: Iterable[str]) -> str | None:
    """The one of some names that another spelling means; None if none or more than one is.

    In turn names are compared as they are, without regard to case, and with dots, dashes and underscores alike.
    """
    names = list(names)
    for form in _FORMS:
        wanted = form(name)
        found = [each for each in names if form(each) == wanted]
        if len(found) == 1:
            return found[0]
    return None


def canonical(name: str, names: Iterable[str]) -> str:
    """Like `meant`.

    Raises
    ------
    UnknownOptionError
        If no name is meant, with the nearest ones.
    """
    near = {each.lower(): each for each in names}
    found = meant(name, near.values())
    if found is None:
        close = ", ".join(near[each] for each in difflib.get_close_matches(name.lower(), near, 4, 0.5))
        raise UnknownOptionError(f"no target {name!r}" + (f"; the nearest are {close}" if close else ""))
    return found
