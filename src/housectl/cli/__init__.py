"""The command line: each command parses arguments, calls the public API and shows the result."""
