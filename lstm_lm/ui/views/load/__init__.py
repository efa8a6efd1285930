"""Load a model from the Hub."""
