"""A model at work on text: the next token, a text written step by step, the loss of a text."""
