"""What a language model is used for: the tab Try."""
