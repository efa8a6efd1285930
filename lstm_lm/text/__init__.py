"""Where text comes from, and how it becomes token ids. Knows nothing of models."""
