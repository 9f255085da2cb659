"""Benchmarks of a search on a cluster, against plain kubectl."""
