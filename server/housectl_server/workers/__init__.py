"""The processes of a server with several workers."""
