"""A model folder on disk: read with suspicion, written atomically, described by its card."""
