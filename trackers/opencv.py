"""The one place that imports OpenCV, so that its absence is explained once."""

try:
    import cv2
except ImportError as error:
    raise ImportError(
        "OpenCV is missing: pip install one (and only one) of opencv-python, opencv-contrib-python, opencv-python-headless, "
        "opencv-contrib-python-headless"
    ) from error

__all__ = ["cv2"]
