"""Follows the store: finds new champions, and swaps them in."""
