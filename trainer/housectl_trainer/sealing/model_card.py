"""The model card: the recorded facts of a model in Markdown."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.golden import Golden, GoldenSource
from housectl.contract.metrics import Metrics
from housectl.contract.recipe import (
    GateFolds,
    ObjectiveFolds,
    Recipe,
    Split,
    SplitMethod,
)
from housectl.contract.schema import Schema, Transform
from housectl_trainer.data import Dataset
from housectl_trainer.sealing.card_features import features_section
from housectl_trainer.sealing.markdown import bullets, table

_METHODS = {
    SplitMethod.HASH: "by a hash of each row's content, so that added rows do not move other rows",
    SplitMethod.HASH_FEATURES: "by a hash of each row's features, so that neither added rows nor "
    "another unit of the target move other rows",
    SplitMethod.SHUFFLE: "by a seeded shuffle of all rows",
    SplitMethod.TIME: "by time: the latest rows are held out, and folds go forward",
}
_OBJECTIVES: Mapping[ObjectiveFolds, str] = {
    5: "the mean over 5 folds of the",
    3: "the mean over 3 folds of the",
    1: "the error on a fifth of the",
}
_UNKNOWN = "not given"


def model_card(
    dataset: Dataset,
    metrics: Metrics,
    evidence: Evidence,
    golden: Golden,
    *,
    golden_source: GoldenSource,
) -> str:
    """Return the card in Markdown.

    The bundle's digest covers the card. So the card has no time, path or provenance, and its errors
    are rounded to digits that do not depend on the machine.
    """
    schema, recipe = dataset.shared.schema, evidence.recipe
    sections = (
        f"# Model card: {schema.target.name}\n",
        _use(schema),
        _data(dataset, recipe),
        features_section(dataset),
        _recipe(recipe),
        _errors(metrics, evidence, schema.target.unit),
        _parity(golden, golden_source, schema.target.unit),
        _limits(len(dataset.holdout), recipe),
    )
    return "\n".join(sections)


def _use(schema: Schema) -> str:
    target = schema.target
    return f"""\
## Intended use

The model predicts `{target.name}` from the {len(schema.features)} features of one row, for rows
like those in the data below.

- Description: {target.description or _UNKNOWN}
- Unit: {target.unit or _UNKNOWN}

The model describes correlations in that data, not causes.
"""


def _data(dataset: Dataset, recipe: Recipe) -> str:
    training, holdout = len(dataset.training), len(dataset.holdout)
    return f"""\
## Data

- sha256 of the file: `{recipe.data}`
- {training + holdout} rows: {training} training rows, {holdout} held-out rows
- Held out {_METHODS[recipe.split.method]} (seed {recipe.seed})
- Groups: {_grouping(dataset, recipe.split)}
"""


def _grouping(dataset: Dataset, split: Split) -> str:
    if split.time_column:
        return f"rows with the same `{split.time_column}` stay together"
    if split.group:
        return f"rows with the same `{split.group}` stay together"
    return "none" if dataset.training.groups is None else "equal rows stay together"


def _recipe(recipe: Recipe) -> str:
    values = ((f"`{name}`", str(value)) for name, value in sorted(recipe.assignment.items()))
    libraries = (f"{name} {version}" for name, version in sorted(recipe.libraries.items()))
    return f"""\
## Recipe

Family {recipe.family}, seed {recipe.seed}. Other parameters have the library's defaults.
{_target_scale(recipe)}

{table(("parameter", "value"), values)}

Libraries:

{bullets(libraries)}
"""


def _target_scale(recipe: Recipe) -> str:
    target = f"`{recipe.target}`"
    if recipe.transform is Transform.LOG:
        target = f"the logarithm of {target}"
    return f"""\
The model was trained on {target}, minus its mean, and divided by its standard deviation.
Predictions and errors are in the target's own unit."""


def _errors(metrics: Metrics, evidence: Evidence, unit: str) -> str:
    predictors = {
        "this model": evidence.model,
        "linear model": evidence.linear,
        "mean of the targets": evidence.mean,
    }
    holdout = [_holdout_row(name, evidence, errors) for name, errors in predictors.items()]
    folds = [_fold_row(name, errors) for name, errors in predictors.items()]
    return f"""\
## Errors

Errors on the held-out rows; RMSE and MAE have the target's own unit ({unit or _UNKNOWN}):

{table(("predictor", "MSE", "RMSE", "MAE", "R²"), holdout)}

All other errors are MSE, in squared target units.

- `mse` {metrics.mse:.4g}: the search's objective, {_OBJECTIVES[evidence.recipe.objective_folds]}
  training rows. The search optimised this number, so it is optimistically biased.
- `holdout_mse` {metrics.holdout_mse:.4g}: error on the held-out rows, which no trial sees.

The gate uses {_gate_folds(evidence.recipe.gate_folds)} other folds of the training rows.

{table(("predictor", "gate folds, mean", "gate folds, range"), folds)}
"""


def _gate_folds(gate: GateFolds) -> str:
    return f"{gate.folds}" if gate.repeats == 1 else f"{gate.repeats} times {gate.folds}"


def _holdout_row(name: str, evidence: Evidence, errors: Errors) -> Sequence[str]:
    each = evidence.holdout_errors(errors)
    sizes = ("-" if value is None else f"{value:.4g}" for value in (each.mse, each.rmse, each.mae))
    return name, *sizes, "-" if each.r2 is None else f"{each.r2:.4f}"


def _fold_row(name: str, errors: Errors) -> Sequence[str]:
    folds = errors.fold_mses
    mean = f"{sum(folds) / len(folds):.4g}"
    return name, mean, f"{min(folds):.4g} to {max(folds):.4g}"


def _parity(golden: Golden, source: GoldenSource, unit: str) -> str:
    kind = f"{source} rows"
    return f"""\
## Parity

`golden.json` has {len(golden.rows)} golden rows with the trained model's predictions: {kind},
rows at the model's thresholds if it has any, rows out of range, rows with each level of each
category, and rows with missing values. Every copy of the model must repeat these predictions within
{golden.tolerance:.3g} (unit: {unit or _UNKNOWN}){_relative(golden)}. `model.onnx` was checked with
all rows of the data, and with rows at the thresholds and next to them, of each level, with missing
values, and far out of range.
"""


def _relative(golden: Golden) -> str:
    if golden.relative_tolerance is UNSET:
        return ""
    return f" plus {golden.relative_tolerance:.3g} of the prediction"


def _limits(holdout_rows: int, recipe: Recipe) -> str:
    return f"""\
## Limits

- {_error_scope(recipe.split)}
- {holdout_rows} held-out rows are one sample. Other rows would give another `holdout_mse`; the
  range over the folds shows the variation.
- {recipe.family.definition.extrapolation}
- The errors are averages and may differ between kinds of rows.
"""


def _error_scope(split: Split) -> str:
    if split.group:
        return f"The errors measure predictions for new values of `{split.group}`."
    if split.time_column:
        return f"The errors measure predictions for later values of `{split.time_column}`."
    return (
        "The rows were divided at random, so the errors measure interpolating between neighbours."
        "\n  Expect larger errors for rows from another place or time."
    )
