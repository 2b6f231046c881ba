"""What trackers accept: checked once, at the border, before anything changes."""

import numpy as np

from trackers.errors import InvalidBoxError, InvalidImageError, UnknownOptionError

CHANNEL_ORDERS = ("BGR", "RGB")
SMALLEST_SIDE, FARTHEST = 1e-3, 1e6  # pixels; beyond them arithmetic fails before tracking makes sense


def check_image(image: object, channel_order: str, shape: tuple[int, int] | None = None) -> np.ndarray:
    """A picture as the trackers use it.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, 3), (H, W, 1) or (H, W)
        Any strides, read-only too.
    channel_order : str
        'BGR' or 'RGB': the order of `image`.
    shape : (int, int) or None
        Height and width that it must have.

    Returns
    -------
    ndarray, uint8, (H, W, 3) in the order R, G, B, or (H, W, 1)
        A view.

    Raises
    ------
    InvalidImageError
    """
    if image is None:
        raise InvalidImageError("the picture is None; cv2.imread gives None for a file that it cannot read")
    if not isinstance(image, np.ndarray):
        raise InvalidImageError(f"the picture is a {type(image).__name__}; a numpy array is needed: numpy.asarray(picture)")
    image = np.asarray(image)  # a matrix, for one, is an array with rules of its own
    if image.dtype != np.uint8:
        how = "(picture * 255).astype(numpy.uint8) if it is in 0..1" if image.dtype.kind == "f" else "picture.astype(numpy.uint8)"
        raise InvalidImageError(f"the picture is {image.dtype}; uint8 in 0..255 is needed: {how}")
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or image.shape[2] not in (1, 3):
        how = "; drop the fourth channel: picture[:, :, :3]" if image.ndim == 3 and image.shape[2] == 4 else ""
        raise InvalidImageError(f"the picture has shape {image.shape}; (H, W), (H, W, 1) or (H, W, 3) is needed{how}")
    if image.size == 0:
        raise InvalidImageError(f"the picture is empty: shape {image.shape}")
    if shape is not None and image.shape[:2] != shape:
        raise InvalidImageError(
            f"the picture has {image.shape[0]} x {image.shape[1]} pixels (H x W), the first had {shape[0]} x {shape[1]}; "
            "resize it, or call init with a box in the new picture"
        )
    return image[:, :, ::-1] if channel_order == "BGR" and image.shape[2] == 3 else image


def check_box(box: object, shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """A box (x, y, w, h) in a picture of `shape` (height, width) as four floats.

    Raises
    ------
    InvalidBoxError
        If it is not four finite numbers, has no size, or lies wholly outside the picture.
    """
    try:
        numbers = np.asarray(box)
    except Exception:  # ragged, or an object whose own conversion fails
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iuf" or numbers.size != 4:
        raise InvalidBoxError(f"box {box!r}; four numbers (x, y, w, h) in pixels are needed")
    x, y, w, h = (float(v) for v in numbers.ravel())
    if not np.isfinite([x, y, w, h]).all():
        raise InvalidBoxError(f"box {box!r} holds NaN or infinity")
    if w <= 0 or h <= 0:
        raise InvalidBoxError(f"box {box!r} has width {w:g} and height {h:g}; both must be above 0 (x, y is the top left corner)")
    if min(w, h) < SMALLEST_SIDE or max(abs(x), abs(y), w, h) > FARTHEST:
        raise InvalidBoxError(f"box {box!r}; sides of at least {SMALLEST_SIDE:g} and numbers of at most {FARTHEST:g} pixels are needed")
    height, width = shape
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise InvalidBoxError(f"box {box!r} lies outside the picture of {width} x {height} pixels (W x H)")
    return x, y, w, h


def check_channel_order(channel_order: str) -> str:
    """`channel_order` itself.

    Raises
    ------
    UnknownOptionError
        If it is neither 'BGR' nor 'RGB'.
    """
    if channel_order not in CHANNEL_ORDERS:
        raise UnknownOptionError(f"channel_order={channel_order!r}; allowed are {' and '.join(CHANNEL_ORDERS)}")
    return channel_order
