"""Two search spaces for Boston: every model of `GOOD` beats every model of `POOR`."""

POOR = {"min_samples_leaf": {"min": 12, "max": 16}, "n_estimators": 5}
GOOD = {"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 10}
