"""The project file, housectl.yaml: its fields, and how it is read."""
