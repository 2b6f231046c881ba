"""Errors of tracking. Each says what was given and what is allowed; all derive from `TrackerError`."""

from cfvgg.errors import TrackerError, WeightsError

__all__ = [
    "InvalidBoxError",
    "InvalidImageError",
    "NotInitialisedError",
    "SnapshotError",
    "TrackerError",
    "UnknownOptionError",
    "UnknownTrackerError",
    "VideoError",
    "WeightsError",
]


class InvalidBoxError(TrackerError, ValueError):
    """A box that is not four finite numbers of positive size that meet the picture."""


class InvalidImageError(TrackerError, ValueError):
    """A picture of the wrong type, shape or size."""


class NotInitialisedError(TrackerError, RuntimeError):
    """`update` was called before `init`."""


class SnapshotError(TrackerError, ValueError):
    """A tracker that cannot be written to a file, or a file from which none can be read."""


class UnknownTrackerError(TrackerError, ValueError):
    """No tracker of that name."""


class UnknownOptionError(TrackerError, ValueError):
    """No option of that name, or a value that it does not take."""


class VideoError(TrackerError, ValueError):
    """A source of frames that cannot be read, or an output that cannot be written."""
