"""Drills: long fault-injection runs. `make drill` runs them, and `make test` runs short ones."""
