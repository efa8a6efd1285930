"""Every signal of every unit over a whole text: made, saved, exported, drawn."""
