"""Backends: where experiments and tasks run."""
