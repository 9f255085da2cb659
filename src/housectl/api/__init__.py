"""Implementation of the public API. Users import its names from `housectl`."""
