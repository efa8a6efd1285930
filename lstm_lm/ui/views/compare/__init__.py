"""Two models over the same text."""
