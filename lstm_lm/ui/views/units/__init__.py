"""A page for every unit."""
