"""Builds the images of trainer and server from this checkout, and pushes them."""
