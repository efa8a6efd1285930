"""What a trace means: properties of a text, and findings. Knows nothing of pages."""
