"""The text of docs/datasets.md, made from the outcomes of all data sets."""

from collections.abc import Sequence

from benchmarks.datasets.catalog import DATA_SETS, DataSet
from benchmarks.datasets.whole_way import TRIALS, WholeWay
from housectl_trainer.sealing.markdown import bullets, table

_HEADER = (
    "data set",
    "rows",
    "columns",
    "family",
    "R²",
    "R², by hand",
    "R², CatBoost",
    "verified",
    "seconds",
)


def page(outcomes: Sequence[WholeWay]) -> str:
    """Return the page in Markdown."""
    return "\n".join(
        (
            _introduction(),
            f"{table(_HEADER, map(_row, outcomes))}\n",
            _summary(outcomes),
            *map(_details, DATA_SETS, outcomes),
        )
    )


def _introduction() -> str:
    return f"""\
# Public data sets

`make datasets` wrote this page. It takes ten public data sets the whole way: `housectl init`,
`housectl tune --family auto --trials {TRIALS}`, `promote`, `serve` and `verify`. Nobody edits the
drafted project file in between. The data sets ship in Python packages, so the run needs no
download.

R² is measured on the rows that the drafted split holds out. Two reference models predict the same
rows:

- *by hand*: a pipeline of scikit-learn with the median for missing numbers and one-hot encoding.
  Cross-validation on the training rows chooses between a random forest and XGBoost.
- *CatBoost*: its defaults, and its own treatment of categories and missing values.

A person chose their columns: names of single rows are dropped, and a date becomes its year, month
and day of the year.
"""


def _row(outcome: WholeWay) -> Sequence[str]:
    types = ", ".join(f"{count} {name}" for name, count in outcome.columns.items())
    return (
        f"[{outcome.name}](#{outcome.name})",
        str(outcome.rows),
        types,
        outcome.family,
        f"{outcome.r2:.3f}",
        f"{outcome.hand_written_r2:.3f}",
        f"{outcome.catboost_r2:.3f}",
        "yes" if outcome.verified else "refused",
        f"{outcome.seconds:.0f}",
    )


def _summary(outcomes: Sequence[WholeWay]) -> str:
    verified = sum(outcome.verified for outcome in outcomes)
    as_good = sum(outcome.r2 >= outcome.hand_written_r2 for outcome in outcomes)
    as_catboost = sum(outcome.r2 >= outcome.catboost_r2 for outcome in outcomes)
    return f"""\
{verified} of {len(outcomes)} data sets end with a verified champion. R² is at least that of the
pipeline by hand on {as_good}, and at least that of CatBoost on {as_catboost}. The seconds include
the evidence for the gate, 50 fits of the best recipe.

These are single draws of held-out rows. With a few hundred rows, another draw changes R² by several
hundredths, and salaries have only 80 held-out rows. Weather is held out by time, and its reference
models have the day of the year, which housectl does not make of a date.
"""


def _details(data_set: DataSet, outcome: WholeWay) -> str:
    return f"""\
## {data_set.name}

Target `{data_set.target}`. Source: {data_set.source}. Licence: {data_set.licence}.

Messages of `init`:

{bullets(outcome.notes)}

Verdict: {outcome.reason}
"""
