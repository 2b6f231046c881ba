"""How fast trackers are, on one core, by turns with those of OpenCV: ``cfvgg bench speed``. See docs/speed.rst."""
