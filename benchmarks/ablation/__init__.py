"""The paper's ablation: rows trained and tracked anew, ``python -m benchmarks.ablation``, and a script for each of its tables and figures.

See docs/ablation.rst.
"""

import os

from benchmarks.threads import VARIABLES

os.environ |= {name: os.environ.get(name, "1") for name in VARIABLES}  # before numpy and numba are imported, for they look but once
