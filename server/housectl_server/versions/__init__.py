"""Versions that a server runs beside the champion: a shadow, which is compared, and a canary."""
