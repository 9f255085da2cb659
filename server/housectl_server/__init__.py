"""The server: answers with the champion of a store, and follows it."""
