"""The project file, housectl.yaml: its fields and its parser."""
