"""The root of the project's errors, and those of the backbone."""


class TrackerError(Exception):
    """Root of every error that this project raises on purpose."""


class WeightsError(TrackerError, ValueError):
    """A file of weights is missing, broken, or not of the network's shape."""


class InputError(TrackerError, ValueError):
    """An input that the network cannot take."""
