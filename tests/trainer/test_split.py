from collections.abc import Callable

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from housectl.contract.inputs import Inputs
from housectl.contract.recipe import Split, SplitMethod
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.errors import DataError
from housectl_trainer.data import Dataset, load
from housectl_trainer.split import gate_folds, objective_folds
from housectl_trainer.subset import DataSubset

MakeInputs = Callable[..., Inputs]
Lines = list[list[str]]


def rows_of(part: DataSubset) -> set[tuple[float, ...]]:
    return set(map(tuple, np.column_stack([part.rows, part.targets]).tolist()))


def grouped(schema: Schema) -> Schema:
    """The schema with TAX as a group: towns of one tax rate belong together."""
    features = tuple(feature for feature in schema.features if feature.name != "TAX")
    return Schema(features=features, target=schema.target, exclusions=schema.exclusions)


def test_about_the_share_is_held_out_and_nothing_is_lost(boston_dataset: Dataset) -> None:
    training, heldout = rows_of(boston_dataset.training), rows_of(boston_dataset.holdout)
    assert not training & heldout
    assert len(training) + len(heldout) == 506
    assert 0.15 < len(heldout) / 506 < 0.25


def test_added_rows_move_no_other_row(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs
) -> None:
    header, *rows = boston_lines
    fewer = load(make_inputs([header, *rows[::2]], boston_schema))
    more = load(make_inputs([header, *reversed(rows)], boston_schema))
    assert rows_of(fewer.holdout) < rows_of(more.holdout)
    assert rows_of(fewer.training) < rows_of(more.training)
    assert fewer.holdout_digest != more.holdout_digest


def test_another_seed_holds_out_other_rows(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs, boston_dataset: Dataset
) -> None:
    other = load(make_inputs(boston_lines, boston_schema, seed=8))
    assert rows_of(other.holdout) != rows_of(boston_dataset.holdout)


def test_the_shuffle_is_scikit_learns_own(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs
) -> None:
    split = Split(method=SplitMethod.SHUFFLE, holdout=0.2)
    dataset = load(make_inputs(boston_lines, boston_schema, split, seed=42))
    targets = [float(line[-1]) for line in boston_lines[1:]]
    training, heldout = train_test_split(targets, test_size=0.2, random_state=42)
    assert dataset.training.targets.tolist() == training
    assert dataset.holdout.targets.tolist() == heldout


@pytest.mark.parametrize("method", SplitMethod)
def test_groups_stay_together_also_in_folds(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs, method: SplitMethod
) -> None:
    split = Split(method=method, group="TAX")
    dataset = load(make_inputs(boston_lines, grouped(boston_schema), split))
    training, heldout = dataset.training.groups, dataset.holdout.groups
    assert training is not None
    assert heldout is not None
    assert not set(training) & set(heldout)
    folds = objective_folds(dataset.training, seed=7) + gate_folds(dataset.training, seed=7)
    assert len(folds) == 55
    assert all(not set(training[one]) & set(training[other]) for one, other in folds)


def test_the_gate_folds_differ_from_each_other_and_from_the_objectives(
    boston_dataset: Dataset,
) -> None:
    part = boston_dataset.training
    tested = [frozenset(testing.tolist()) for _, testing in gate_folds(part, seed=7)]
    assert len(set(tested)) == 50
    assert sorted(place for fold in tested[:10] for place in fold) == list(range(len(part)))
    assert not set(tested) & {frozenset(fold.tolist()) for _, fold in objective_folds(part, seed=7)}


def test_too_few_groups_are_refused(make_inputs: MakeInputs) -> None:
    schema = Schema(
        features=(Feature(name="a", minimum=0.0, maximum=299.0),),
        target=Target(name="y"),
        exclusions=(Exclusion(name="town", reason="it is the group"),),
    )
    lines = [["a", "y", "town"], *([i, i % 7, f"town {i % 9}"] for i in range(300))]
    split = Split(method=SplitMethod.SHUFFLE, group="town", holdout=0.3)
    with pytest.raises(DataError, match="groups to learn from"):
        load(make_inputs(lines, schema, split))


@pytest.mark.parametrize(
    ("holdout", "message"),
    [(0.001, "holds out"), (0.95, "to learn from"), (0.0, "between 0 and 1"), (1.5, "between")],
)
@pytest.mark.parametrize("method", SplitMethod)
def test_a_split_that_leaves_too_little_is_refused(
    *,
    boston_lines: Lines,
    boston_schema: Schema,
    make_inputs: MakeInputs,
    method: SplitMethod,
    holdout: float,
    message: str,
) -> None:
    inputs = make_inputs(boston_lines, boston_schema, Split(method=method, holdout=holdout))
    with pytest.raises(DataError, match=message):
        load(inputs)
