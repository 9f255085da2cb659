"""Where experiments and tasks run."""
