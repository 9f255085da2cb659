"""Build and push the images of trainer, server and command line."""
