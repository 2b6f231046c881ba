"""Learning a filter and responding with it."""
