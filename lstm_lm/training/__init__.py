"""From a text to a trained model, and everything that a run needs on the way."""
