"""The Hugging Face Hub: models fetched and pushed, Spaces deployed."""
