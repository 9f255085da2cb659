"""Drafts of a project file, from a CSV file."""
