"""What the page has at hand: models, the texts they wrote, guests, and whose turn it is."""
