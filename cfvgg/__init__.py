"""The backbone: what CF-VGG and VGG-M are, their weights, and how they run.

Importing this package or :mod:`cfvgg.forward` never imports torch; :mod:`cfvgg.network` (training) does.
"""

__version__ = "0.1.0"
