"""A study of the gate: its errors in simulated worlds, whose best model is known."""
