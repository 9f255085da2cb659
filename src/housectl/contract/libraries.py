"""Versions of the libraries that decide a model."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from housectl.contract.families import training_libraries


@cache
def library_versions() -> dict[str, str]:
    """Return the version of each training library, as recipes record it.

    Raises:
        PackageNotFoundError: A library is not installed.
    """
    return {library.name: _version(*library.distributions) for library in training_libraries()}


def installed_version(distribution: str, *others: str) -> str | None:
    """Return the version of the first distribution that is installed; None if none is."""
    try:
        return _version(distribution, *others)
    except PackageNotFoundError:
        return None


def _version(first: str, *others: str) -> str:
    try:
        return version(first)
    except PackageNotFoundError:
        if not others:
            raise
        return _version(*others)
