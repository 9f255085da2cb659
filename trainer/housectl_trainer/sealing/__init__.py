"""Sealing: a refitted model becomes a checked bundle."""
