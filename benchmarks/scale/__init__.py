"""Cost of each step with the number of rows: `python -m benchmarks.scale`."""
