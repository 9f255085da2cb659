"""What the command line, the trainer and the server agree on: formats, and nothing that is slow."""
