"""Example projects and the demo."""
