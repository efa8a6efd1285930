"""How far back a model remembers."""
