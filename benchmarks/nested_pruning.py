"""Nested cross-validation of pruning: the same search without and with it in each outer fold."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.inner_search import InnerSearch
from benchmarks.nested import OUTER_FOLDS, REPEATS, OuterData, load_outer_data, make_experiment
from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.contract.record import Record
from housectl.search_spaces import wide_space

PRUNED_TRIALS = 60
PRUNED_FAMILIES = (Family.RANDOM_FOREST, Family.XGBOOST)


@dataclass(frozen=True, kw_only=True)
class PairFold:
    """Two searches on all rows except those of one fold of one repeat."""

    repeat: int
    number: int


class PairedSearch(Record, kw_only=True):
    """Best trial of one of the two searches.

    Attributes:
        objective: Objective of the best trial, on the inner folds.
        mse: Error of the best trial's recipe, refitted on all rows outside the fold.
        seconds: CPU time of all fits.
        pruned: Number of pruned trials.
    """

    family: Family
    assignment: dict[str, Value]
    objective: float
    mse: float
    seconds: float
    pruned: int


class PairResult(Record, kw_only=True):
    """The two searches of one outer fold: `complete` measures each trial on all folds."""

    repeat: int
    number: int
    complete: PairedSearch
    pruned: PairedSearch


def pair_folds() -> list[PairFold]:
    """Return all pairs of searches."""
    return [
        PairFold(repeat=repeat, number=number)
        for repeat in range(REPEATS)
        for number in range(OUTER_FOLDS)
    ]


def evaluate_pair(outer: PairFold, inputs: Path) -> PairResult:
    """Search without and with pruning, and measure the errors on the rows of the outer fold."""
    data = load_outer_data(inputs, repeat=outer.repeat, number=outer.number)
    search = data.search()
    return PairResult(
        repeat=outer.repeat,
        number=outer.number,
        complete=_run(data, search, prune=False),
        pruned=_run(data, search, prune=True),
    )


def _run(data: OuterData, search: InnerSearch, *, prune: bool) -> PairedSearch:
    spaces = {family: wide_space(family) for family in PRUNED_FAMILIES}
    best = search.run(make_experiment(spaces, trials=PRUNED_TRIALS, prune=prune))
    return PairedSearch(
        family=best.family,
        assignment=dict(best.assignment),
        objective=best.objective,
        mse=data.mse(best.family, best.assignment),
        seconds=best.seconds,
        pruned=best.pruned,
    )
