"""The champion store: its interface, its implementations, and the layout of its files."""
