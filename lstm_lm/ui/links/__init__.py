"""Addresses of views: written, read, and opened again."""
