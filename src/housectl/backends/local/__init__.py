"""The local backend: a supervisor process for each run, and its state in files."""
