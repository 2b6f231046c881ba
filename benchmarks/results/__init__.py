"""Files of results: boxes, and the time that each frame took. Ours are written as other toolkits write them, and theirs are read."""

from benchmarks.results.folders import Tracks, read, trackers_in
from benchmarks.results.run import Result
from benchmarks.results.text import LAYOUTS, is_done, write_result

__all__ = ["LAYOUTS", "Result", "Tracks", "is_done", "read", "trackers_in", "write_result"]
