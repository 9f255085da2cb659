"""Verification: proof over HTTP that a running server returns the champion's predictions."""
