"""The in-memory backend of the tests."""
