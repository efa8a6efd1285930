"""The tour through the page."""
