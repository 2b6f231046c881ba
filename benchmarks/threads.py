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


def hold_libraries(number: int = 1) -> None:
    """Hold what this process imports from now on, and its children, to so many threads. Numpy, numba and others look but once."""
    os.environ |= dict.fromkeys(VARIABLES, str(number))


def hold_opencv(number: int = 1) -> None:
    """Hold OpenCV, which can be told at any time, to so many threads of the processor."""
    from trackers.opencv import cv2

    cv2.setNumThreads(number)
    cv2.ocl.setUseOpenCL(False)
