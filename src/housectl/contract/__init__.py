"""Formats that the command line, the trainer and the server share; its imports are fast."""
