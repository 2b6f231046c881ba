"""Measuring: data, metrics and protocols for trackers. Nothing but the command line and the tests imports it."""
