"""The local backend: a supervisor per run, in files that any later process can read."""
