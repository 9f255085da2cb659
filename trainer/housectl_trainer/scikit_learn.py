"""An import of scikit-learn that leaves out libraries which no training needs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from types import ModuleType

_STATISTICS = "scipy.stats"


class _PandasHider(MetaPathFinder):
    """Makes pandas look as if it were not installed."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002
        """Raise the error of a missing module for pandas."""
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is hidden from scikit-learn", name=fullname)


class _LateStatistics(ModuleType):
    """Stands for scipy.stats; its functions import the real module when they are called."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        """Return a function of the module."""
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: object, **options: object) -> object:
            function: Callable[..., object] = getattr(import_module(_STATISTICS), name)
            return function(*args, **options)

        return call


def import_scikit_learn() -> None:
    """Import scikit-learn without pandas and scipy.stats, of which training uses nothing.

    With pandas, a process would need 60 MB and a quarter of a second more, where it is installed.
    With scipy.stats, it would need 20 MB and a fifth of a second more.
    """
    if "sklearn" in sys.modules:
        return
    with _hidden_pandas(), _late_statistics():
        import_module("sklearn.ensemble")


@contextmanager
def _hidden_pandas() -> Iterator[None]:
    hider = _PandasHider()
    sys.meta_path.insert(0, hider)
    try:
        yield
    finally:
        sys.meta_path.remove(hider)


@contextmanager
def _late_statistics() -> Iterator[None]:
    if _STATISTICS in sys.modules:
        yield
        return
    sys.modules[_STATISTICS] = _LateStatistics(_STATISTICS)
    try:
        yield
    finally:
        del sys.modules[_STATISTICS]
