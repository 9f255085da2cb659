"""The libraries that decide a model."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

_DISTRIBUTIONS = {
    "joblib": ("joblib",),
    "numpy": ("numpy",),
    "scikit-learn": ("scikit-learn",),
    "scipy": ("scipy",),
    # One library under two names: with and without what it needs for graphics cards.
    "xgboost": ("xgboost-cpu", "xgboost"),
}


@cache
def library_versions() -> dict[str, str]:
    """Return the version of each library, of those of all families alike.

    Recipes of two families can be compared only if each says what the other one needs.
    """
    return {name: _version(*names) for name, names in _DISTRIBUTIONS.items()}


def _version(first: str, *others: str) -> str:
    try:
        return version(first)
    except PackageNotFoundError:
        if not others:
            raise
        return _version(*others)
