"""One thread for each process, so that times compare and processes do not crowd each other out."""

import os

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
)


def hold_libraries() -> None:
    """Hold what this process imports from now on, and its children, to one thread. Numpy, numba and others look but once."""
    os.environ |= dict.fromkeys(VARIABLES, "1")


def hold_opencv() -> None:
    """Hold OpenCV, which can be told at any time, to one thread of the processor."""
    from trackers.opencv import cv2

    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
