"""The server: serves the champion of a store over HTTP, and follows promotions."""
