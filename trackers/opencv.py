"""The one place that imports OpenCV, so that its absence is explained once."""

try:
    import cv2
except ImportError as error:
    raise ImportError(
        f"OpenCV cannot be imported ({error}): pip install one (and only one) of opencv-python, opencv-contrib-python, "
        "opencv-python-headless, opencv-contrib-python-headless; the headless ones need no system libraries, and open no windows",
        name="cv2",
    ) from error

__all__ = ["cv2"]
