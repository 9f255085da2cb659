"""Servers for tests: S3 servers, and proxies that count requests or inject faults."""
