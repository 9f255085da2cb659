"""Benchmarks of speed and model quality."""
