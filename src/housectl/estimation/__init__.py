"""Estimates of a search before it runs: the time of its trials, and the size of its models."""
