"""Reproduction: a bundle is trained again from its record, and compared file by file."""
