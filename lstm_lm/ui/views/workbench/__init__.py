"""The picture of one text: what Write and Read show."""
