"""Features of a picture patch."""
