"""The text of a drafted project file."""
