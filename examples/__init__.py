"""Projects to start from, and the demonstration."""
