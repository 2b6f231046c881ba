"""Tracking by correlation filters. ``from trackers import fECO``; importing this package never imports torch."""

import difflib

from trackers.bacf import BACF
from trackers.eco import ECO, ECOHC, fECO
from trackers.errors import UnknownTrackerError
from trackers.kcf import KCF, fKCF
from trackers.mosse import MOSSE
from trackers.strcf import STRCF, DeepSTRCF, fDeepSTRCF
from trackers.tracker import Track, Tracker

__all__ = [
    "BACF", "ECO", "ECOHC", "KCF", "MOSSE", "STRCF", "DeepSTRCF", "Track", "Tracker", "create", "fDeepSTRCF", "fECO", "fKCF", "names",
]  # fmt: skip

_TRACKERS = {tracker.__name__: tracker for tracker in (fECO, ECO, ECOHC, fDeepSTRCF, DeepSTRCF, STRCF, BACF, KCF, fKCF, MOSSE)}


def names() -> list[str]:
    """Names that `create` knows."""
    return list(_TRACKERS)


def create(name: str, **options) -> Tracker:
    """A tracker by its name.

    Parameters
    ----------
    name : str
        One of `names`, in upper or lower case.
    **options
        Of the tracker.

    Raises
    ------
    UnknownTrackerError
    """
    known = {key.lower(): tracker for key, tracker in _TRACKERS.items()}
    if str(name).lower() not in known:
        close = difflib.get_close_matches(str(name).lower(), known, 1)
        hint = f"; did you mean {known[close[0]].__name__}?" if close else ""
        raise UnknownTrackerError(f"no tracker {name!r}{hint} There are {', '.join(names())}")
    return known[str(name).lower()](**options)
