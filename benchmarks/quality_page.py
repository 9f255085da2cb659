"""The text of docs/quality.md, made from the results of the outer folds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.nested import OUTER_FOLDS, REPEATS, SEED, TRIALS, FoldResult
from benchmarks.nested_pruning import PRUNED_TRIALS, PairResult
from housectl.contract.families import Family
from housectl_trainer.sealing.markdown import table

_WITHOUT_SEARCH = ("library's recipe", "hand-tuned recipe")

_PUBLISHED = """\
## Figures measured elsewhere

Mean MSE of 10-fold cross-validation on the same 506 rows, from work before this project and from
the AutoML benchmark (OpenML task 359950). Those runs used all 13 columns, other folds and other
versions. They show which figures are possible; differences of a tenth mean nothing.

| model | MSE |
| --- | --- |
| linear regression | 23.7 |
| XGBoost, defaults | 10.6 |
| random forest, defaults | 10.5 |
| random forest, tuned over five parameters | 10.45 |
| random forest of 2,000 trees (OpenML) | 10.24 |
| random forest, tuned over two parameters, the defaults tried first | 9.9 |
| random forest, set by hand (300 trees, a third of the features) | 9.8 |
| XGBoost, set by hand | 9.5 |
| XGBoost, tuned by 50 trials | 8.9 |
| AutoGluon (OpenML) | 8.63 |
| H2O AutoML (OpenML) | 8.42 |
| CatBoost | 8.4 |
| Gaussian process, Matérn kernel | 7.5 |

A random forest or XGBoost model below 7 on this data would point to a data leak.

We expected about 10 for forests and about 9.4 for XGBoost. A different seed does not close
XGBoost's gap. The gap is well within the standard error of a mean over 20 folds (their deviation
times 0.4). Two causes are known. The 8.9 above used the column B, which is worth about 0.15. It
also used XGBoost 3.4; the locked version 3.2 grows other trees from the same recipe. The hand-tuned
recipe has 9.5 above and little more here: on 455 rows, 50 trials are no better than a good guess.
"""


def page(
    folds: Sequence[FoldResult], pairs: Sequence[PairResult], versions: Mapping[str, str]
) -> str:
    """Return the page in Markdown."""
    sections = (
        _introduction(folds, pairs),
        _errors(folds),
        _gains(folds),
        _objective_bias(folds),
        _pruning(pairs),
        _PUBLISHED,
        _versions(versions),
    )
    return "\n".join(sections)


def _introduction(folds: Sequence[FoldResult], pairs: Sequence[PairResult]) -> str:
    seconds = [fold.seconds for fold in folds] + [pair.complete.seconds for pair in pairs]
    minutes = sum(seconds) / 60
    return f"""\
# How good the models are

`make quality` wrote this page, in {minutes:.0f} minutes of CPU time. An interrupted run resumes
when it is started again.

The method is nested cross-validation with {REPEATS * OUTER_FOLDS} outer folds, the same for
all families. For each outer fold, the whole search of `housectl tune` runs on the other nine
tenths of the rows. It uses the default space and {TRIALS} trials of the same sampler, ranked by
mean MSE over the inner folds. The best trial's recipe is refitted on the nine tenths. Its error is
measured on the rows of the outer fold, which no trial has seen. The data are Boston's 506 rows
without the column B, as in `housectl.yaml`. Folds, trials and the seed {SEED} were fixed before the
first run.
"""


def _errors(folds: Sequence[FoldResult]) -> str:
    header = ("model", "mean", "deviation")
    rows = [_row("linear regression", folds, lambda fold: fold.linear)]
    for family in Family:
        family_folds = _of_family(folds, family)
        for index, name in enumerate(_WITHOUT_SEARCH):
            rows.append(_row(f"{family}, {name}", family_folds, _enqueued(index)))
        rows.append(_row(f"**{family}, searched**", family_folds, lambda fold: fold.mse))
    return f"""\
## Errors

Mean MSE over the outer folds, in squares of $1000, and its standard deviation over all folds. One
fold has only 50 or 51 rows, so compare means of the same folds, never single splits.

{table(header, rows)}

The library's recipe and the hand-tuned recipe are the first two trials of every search. Their
values are clamped to the default space, so a forest has 300 trees in both.
"""


def _enqueued(index: int) -> Callable[[FoldResult], float]:
    return lambda fold: fold.enqueued[index]


def _row(
    name: str, folds: Sequence[FoldResult], error: Callable[[FoldResult], float]
) -> Sequence[str]:
    errors = [error(fold) for fold in folds]
    return name, f"{_mean(errors):.2f}", f"{_deviation(errors):.2f}"


def _gains(folds: Sequence[FoldResult]) -> str:
    rows = []
    for family in Family:
        family_folds = _of_family(folds, family)
        for index, name in enumerate(_WITHOUT_SEARCH):
            gains = [fold.enqueued[index] - fold.mse for fold in family_folds]
            error = _standard_error(gains)
            rows.append((family, name, f"{_mean(gains):+.2f}", f"{error:.2f}"))
    return f"""\
## What the search gains

The gain is the mean difference of the errors without and with the search, over the same folds. Its
standard error is corrected for folds that share rows (Nadeau and Bengio, "Inference for the
generalization error", 2003). A gain below its standard error is not statistically significant.

{table(("family", "instead of", "gain", "standard error"), rows)}
"""


def _pruning(pairs: Sequence[PairResult]) -> str:
    searches = {
        "without pruning": [pair.complete for pair in pairs],
        "with pruning": [pair.pruned for pair in pairs],
    }
    rows = [
        (
            name,
            f"{_mean(search.pruned for search in side):.0f} of {PRUNED_TRIALS}",
            f"{_mean(search.seconds for search in side):.0f} s",
            f"{_mean(search.objective for search in side):.3f}",
            f"{_mean(search.mse for search in side):.3f}",
        )
        for name, side in searches.items()
    ]
    header = (
        "search",
        "pruned trials",
        "CPU time of fits",
        "objective",
        "error on the outer folds",
    )
    objective = [pair.pruned.objective - pair.complete.objective for pair in pairs]
    error = [pair.pruned.mse - pair.complete.mse for pair in pairs]
    same = sum(pair.pruned.assignment == pair.complete.assignment for pair in pairs)
    return f"""\
## Pruning

Each search has {PRUNED_TRIALS} trials, for random forests and XGBoost in turn, in their wide
spaces. Without pruning, each trial is measured on all inner folds. Both searches have the same
{len(pairs)} outer folds. The table has means of the searches.

{table(header, rows)}

In {same} of {len(pairs)} outer folds, both searches chose the same recipe. With pruning, the
objective of the best trial differs by {_mean(objective):+.3f}, with a standard error of
{_standard_error(objective):.3f}. The error on the outer folds differs by {_mean(error):+.3f}, with
a standard error of {_standard_error(error):.3f}.
"""


def _objective_bias(folds: Sequence[FoldResult]) -> str:
    header = ("family", "objective of the best trial", "error on the outer folds", "optimism")
    rows = []
    for family in Family:
        family_folds = _of_family(folds, family)
        objective = _mean(fold.objective for fold in family_folds)
        error = _mean(fold.mse for fold in family_folds)
        rows.append((family, f"{objective:.2f}", f"{error:.2f}", f"{error - objective:+.2f}"))
    return f"""\
## Bias of the objective

The objective is optimistically biased, because the search optimised it. It is also pessimistically
biased, because its models are trained on only four fifths of the rows.

{table(header, rows)}
"""


def _versions(versions: Mapping[str, str]) -> str:
    rows = [(name, version) for name, version in sorted(versions.items())]
    return f"## Versions\n\n{table(('software', 'version'), rows)}\n"


def _of_family(folds: Sequence[FoldResult], family: Family) -> Sequence[FoldResult]:
    return [fold for fold in folds if fold.family == family]


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return math.fsum(numbers) / len(numbers)


def _standard_error(differences: Sequence[float]) -> float:
    """Return the standard error of the mean of folds that share rows."""
    variance = 1 / len(differences) + 1 / (OUTER_FOLDS - 1)
    return _deviation(differences) * math.sqrt(variance)


def _deviation(values: Sequence[float]) -> float:
    centre = _mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
