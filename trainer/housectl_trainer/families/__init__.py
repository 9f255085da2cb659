"""One module for each model family; each has a `FAMILY`, which the registry's entry leads to."""
