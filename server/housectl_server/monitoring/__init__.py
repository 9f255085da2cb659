"""Monitoring: counts of requests and predictions, drift, logs of requests, and traces."""
