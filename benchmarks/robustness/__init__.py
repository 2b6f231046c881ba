"""What trackers do with hostile inputs, with faults in the middle of a video, and after a very long time."""
