"""The model card: what is recorded about a model, for people."""

from collections.abc import Iterable, Sequence

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.golden import Golden
from housectl.contract.metrics import Metrics
from housectl.contract.recipe import (
    GATE_FOLDS,
    GATE_REPEATS,
    OBJECTIVE_FOLDS,
    Recipe,
    Split,
    SplitMethod,
)
from housectl.contract.schema import Exclusion, Feature, Schema
from housectl_trainer.data import Dataset

_METHODS = {
    SplitMethod.HASH: "by a hash of each row's content, so that rows added later move no other row",
    SplitMethod.SHUFFLE: "by a seeded shuffle of all rows",
}
_NOTHING = "not given"


def model_card(dataset: Dataset, metrics: Metrics, evidence: Evidence, golden: Golden) -> str:
    """Return the card in Markdown, made from nothing but what is recorded.

    It is part of the bundle's digest, so it has no time, no path and no provenance, and its errors
    are rounded to digits that do not depend on the machine.
    """
    schema, recipe = dataset.shared.schema, evidence.recipe
    sections = (
        f"# Model card: {schema.target.name}\n",
        _use(schema),
        _data(dataset, recipe),
        _features(schema),
        _recipe(recipe),
        _errors(metrics, evidence, schema.target.unit),
        _proof(golden, schema.target.unit),
        _limits(len(dataset.holdout), recipe.split),
    )
    return "\n".join(sections)


def _use(schema: Schema) -> str:
    target = schema.target
    return f"""\
## Intended use

Predicts `{target.name}` from the {len(schema.features)} features of one row, for rows like those
in the data below.

- Meaning: {target.description or _NOTHING}
- Unit: {target.unit or _NOTHING}

The model describes how these columns go together in that data, not what causes what.
"""


def _data(dataset: Dataset, recipe: Recipe) -> str:
    training, heldout = len(dataset.training), len(dataset.holdout)
    return f"""\
## Data

- sha256 of the file: `{recipe.data}`
- {training + heldout} rows: {training} to learn from, {heldout} held out
- Held out {_METHODS[recipe.split.method]} (seed {recipe.seed})
- Rows kept together: {_grouping(recipe.split)}
"""


def _grouping(split: Split) -> str:
    return f"those with the same `{split.group}`" if split.group else "none"


def _features(schema: Schema) -> str:
    header = ("feature", "unit", "range in the data", "description")
    return f"""\
## Features

{_table(header, map(_feature, schema.features))}

Columns that the model never saw:

{_list(map(_exclusion, schema.exclusions))}
"""


def _feature(feature: Feature) -> Sequence[str]:
    span = f"{feature.minimum:g} to {feature.maximum:g}"
    return f"`{feature.name}`", feature.unit, span, feature.description


def _exclusion(exclusion: Exclusion) -> str:
    return f"`{exclusion.name}`: {exclusion.reason}"


def _recipe(recipe: Recipe) -> str:
    values = ((f"`{name}`", str(value)) for name, value in sorted(recipe.assignment.items()))
    libraries = (f"{name} {version}" for name, version in sorted(recipe.libraries.items()))
    return f"""\
## Recipe

Family {recipe.family}, seed {recipe.seed}. Parameters that are not listed have the library's
default.

{_table(("parameter", "value"), values)}

Libraries:

{_list(libraries)}
"""


def _errors(metrics: Metrics, evidence: Evidence, unit: str) -> str:
    header = ("predictor", "gate folds, mean", "gate folds, range", "held-out rows")
    compared = (
        _compared("this model", evidence.model),
        _compared("linear model", evidence.linear),
        _compared("mean of the targets", evidence.mean),
    )
    return f"""\
## Errors

Mean squared errors, in the square of the target's unit ({unit or _NOTHING}).

- `mse` {metrics.mse:.4g}: the search's objective, the mean over {OBJECTIVE_FOLDS} folds of the
  rows to learn from. The search chose by it, so it flatters.
- `holdout_mse` {metrics.holdout_mse:.4g}: on the held-out rows, which no trial saw.

The gate's folds are {GATE_REPEATS} times {GATE_FOLDS} other folds of the rows to learn from.

{_table(header, compared)}
"""


def _compared(name: str, errors: Errors) -> Sequence[str]:
    folds = errors.fold_mses
    mean = f"{sum(folds) / len(folds):.4g}"
    return name, mean, f"{min(folds):.4g} to {max(folds):.4g}", f"{errors.holdout_mse:.4g}"


def _proof(golden: Golden, unit: str) -> str:
    return f"""\
## Proof

`golden.json` has {len(golden.rows)} rows with the trained model's own predictions: real rows, rows
at the model's thresholds, rows out of range. Every copy of the model must repeat them to within
{golden.tolerance:.3g} (unit: {unit or _NOTHING}). `model.onnx` did so on all rows of the data, and
on rows at the thresholds and right beside them.
"""


def _limits(heldout: int, split: Split) -> str:
    return f"""\
## Limits

- {_meaning_of_errors(split)}
- {heldout} held-out rows are one draw. Other rows would give another `holdout_mse`; the range over
  the folds shows how far such draws lie apart.
- Trees do not extrapolate: out of the features' ranges a prediction stays what it is at the edge.
- Nothing here says how the errors differ between kinds of rows.
"""


def _meaning_of_errors(split: Split) -> str:
    if split.group:
        return f"The errors are those on new values of `{split.group}`, which was kept together."
    return (
        "Rows were divided at random, so the errors are those of interpolating between neighbours;"
        "\n  for rows from another place or time expect larger ones."
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- none"
