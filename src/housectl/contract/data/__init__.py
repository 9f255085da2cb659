"""Data files: their format, their typed reading, and the split of their rows."""
