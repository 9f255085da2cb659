"""Traps in the data of a project: leaked targets, equal rows, classes and skewed targets."""
