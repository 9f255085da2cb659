"""Drafts of a project file for a CSV file."""
