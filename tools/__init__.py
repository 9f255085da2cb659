"""Development tools that no wheel contains."""
