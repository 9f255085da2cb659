"""Build and push the images of trainer and server."""
