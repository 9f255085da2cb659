"""Build and push the images of trainer, server, command line and suggestion service."""
