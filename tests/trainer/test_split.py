import random
import subprocess
import sys
from array import array
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, train_test_split

from housectl.contract.data.data_split import RowKeys, split_indices
from housectl.contract.data.row_texts import feature_texts, row_texts
from housectl.contract.data.table import Table
from housectl.contract.inputs import Inputs
from housectl.contract.recipe import (
    GateFolds,
    ObjectiveFolds,
    Split,
    SplitMethod,
    derived_seed,
)
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from housectl.errors import DataError
from housectl_trainer.data import Dataset, load_dataset
from housectl_trainer.folds import gate_folds, objective_folds
from housectl_trainer.subset import DataSubset

MakeInputs = Callable[..., Inputs]
Lines = list[list[str]]


def rows_of(subset: DataSubset) -> set[tuple[float, ...]]:
    return set(map(tuple, np.column_stack([subset.rows, subset.targets]).tolist()))


def without_tax(schema: Schema) -> Schema:
    """Return the schema without TAX, which is the group column: towns with one tax rate."""
    features = tuple(feature for feature in schema.features if feature.name != "TAX")
    return Schema(features=features, target=schema.target, exclusions=schema.exclusions)


def test_split_holds_out_about_a_fifth_and_keeps_every_row(boston_dataset: Dataset) -> None:
    training, holdout = rows_of(boston_dataset.training), rows_of(boston_dataset.holdout)
    assert not training & holdout
    assert len(training) + len(holdout) == 506
    assert 0.15 < len(holdout) / 506 < 0.25


def test_added_rows_do_not_move_other_rows(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs
) -> None:
    header, *rows = boston_lines
    fewer = load_dataset(make_inputs([header, *rows[::2]], boston_schema))
    more = load_dataset(make_inputs([header, *reversed(rows)], boston_schema))
    assert rows_of(fewer.holdout) < rows_of(more.holdout)
    assert rows_of(fewer.training) < rows_of(more.training)
    assert fewer.holdout_digest != more.holdout_digest


def test_another_seed_holds_out_other_rows(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs, boston_dataset: Dataset
) -> None:
    other = load_dataset(make_inputs(boston_lines, boston_schema, seed=8))
    assert rows_of(other.holdout) != rows_of(boston_dataset.holdout)


def test_shuffle_equals_scikit_learns_train_test_split(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs
) -> None:
    split = Split(method=SplitMethod.SHUFFLE, holdout=0.2)
    dataset = load_dataset(make_inputs(boston_lines, boston_schema, split, seed=42))
    targets = [float(line[-1]) for line in boston_lines[1:]]
    training, holdout = train_test_split(targets, test_size=0.2, random_state=42)
    assert dataset.training.targets.tolist() == training
    assert dataset.holdout.targets.tolist() == holdout


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("groups", [2, 7, 30, 299])
def test_shuffle_of_groups_equals_scikit_learns(groups: int, seed: int) -> None:
    texts = [str(row) for row in range(300)]
    names = [f"town {row * row % groups}" for row in range(300)]
    split = Split(method=SplitMethod.SHUFFLE, holdout=0.3, group="town")
    try:
        indices = split_indices(split, RowKeys(texts=texts, groups=names), seed=seed)
    except DataError:
        assert len(set(names)) <= 14
        return
    shuffle = GroupShuffleSplit(n_splits=1, test_size=0.3, random_state=seed)
    training, holdout = next(shuffle.split(texts, groups=names))
    assert (indices.training, indices.holdout) == (training.tolist(), holdout.tolist())


@pytest.mark.parametrize("method", [SplitMethod.HASH, SplitMethod.SHUFFLE])
def test_groups_stay_together_in_split_and_folds(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs, method: SplitMethod
) -> None:
    split = Split(method=method, group="TAX")
    dataset = load_dataset(make_inputs(boston_lines, without_tax(boston_schema), split))
    training, holdout = dataset.training.groups, dataset.holdout.groups
    assert training is not None
    assert holdout is not None
    assert not set(training) & set(holdout)
    folds = objective_folds(dataset.training, seed=7) + gate_folds(dataset.training, seed=7)
    assert len(folds) == 55
    assert all(not set(training[one]) & set(training[other]) for one, other in folds)


@pytest.mark.parametrize("method", [SplitMethod.HASH, SplitMethod.SHUFFLE])
def test_equal_rows_stay_on_one_side_of_split_and_folds(
    boston_lines: Lines, boston_schema: Schema, make_inputs: MakeInputs, method: SplitMethod
) -> None:
    header, *rows = boston_lines
    repeated = [header, *rows, *rows[::7], *rows[::14]]
    dataset = load_dataset(make_inputs(repeated, boston_schema, Split(method=method)))
    training, holdout = dataset.training, dataset.holdout
    assert len(training) + len(holdout) == len(repeated) - 1
    assert not rows_of(training) & rows_of(holdout)
    folds = objective_folds(training, seed=7) + gate_folds(training, seed=7)
    assert len(folds) == 55
    for one, other in folds:
        assert not rows_of(training.take(one)) & rows_of(training.take(other))


def test_data_without_equal_rows_have_no_units(boston_dataset: Dataset) -> None:
    assert boston_dataset.training.groups is None


def test_groups_decide_about_equal_rows() -> None:
    keys = RowKeys(texts=["a"] * 200, groups=[f"town {row % 40}" for row in range(200)])
    indices = split_indices(Split(group="town"), keys, seed=7)
    held_out = {keys.groups[index] for index in indices.holdout}
    assert 0 < len(held_out) < 40
    assert not held_out & {keys.groups[index] for index in indices.training}


def test_ten_different_rows_are_rejected() -> None:
    keys = RowKeys(texts=[f"row {number % 10}" for number in range(200)])
    with pytest.raises(DataError, match="leaves 8 different training rows, fewer than the gate's"):
        split_indices(Split(method=SplitMethod.SHUFFLE), keys, seed=7)


def time_split_of(times: list[float], holdout: float = 0.2) -> tuple[list[float], list[float]]:
    """Return the times of the training rows, and of the held-out rows."""
    split = Split(method=SplitMethod.TIME, column="sold", holdout=holdout)
    keys = RowKeys(texts=list(map(repr, times)), times=times)
    indices = split_indices(split, keys, seed=7)
    assert sorted([*indices.training, *indices.holdout]) == list(range(len(times)))
    return [times[each] for each in indices.training], [times[each] for each in indices.holdout]


@pytest.mark.parametrize("ties", [1, 2, 7])
@pytest.mark.parametrize("seed", range(5))
def test_latest_rows_are_held_out_and_equal_times_stay_together(seed: int, ties: int) -> None:
    times = [float(number // ties) for number in range(300)]
    random.Random(seed).shuffle(times)
    training, holdout = time_split_of(times)
    assert training == sorted(training)
    assert max(training) < min(holdout)
    assert 60 <= len(holdout) < 60 + ties


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        ([3.0] * 200, "leaves 0 training rows"),
        ([float(row // 50) for row in range(200)], "sold has only 3 different times"),
    ],
)
def test_too_few_times_are_rejected(times: list[float], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        time_split_of(times)


def test_folds_go_forward_in_time(boston_dataset: Dataset) -> None:
    training = boston_dataset.training
    times = np.arange(len(training)) // 3 * 1.0
    subset = DataSubset(rows=training.rows, targets=training.targets, groups=None, times=times)
    objective, gate = objective_folds(subset, seed=7), gate_folds(subset, seed=7)
    assert (len(objective), len(gate)) == (5, 50)
    for one, other in (*objective, *gate):
        assert max(times[one]) < min(times[other])
        assert len(one) >= len(times) * 0.45


@pytest.mark.parametrize("folds", [3, 5])
@pytest.mark.parametrize("rows", [31, 400])
def test_folds_are_those_of_scikit_learn(rows: int, folds: ObjectiveFolds) -> None:
    generator = np.random.default_rng(rows)
    seed = derived_seed(7, "objective")
    for splitter, groups in (
        (KFold, None),
        (GroupKFold, generator.integers(0, rows // 3, size=rows) * 2),
    ):
        subset = DataSubset(rows=np.zeros((rows, 1)), targets=np.zeros(rows), groups=groups)
        expected = splitter(folds, shuffle=True, random_state=seed).split(subset.rows, None, groups)
        for actual, wanted in zip(
            objective_folds(subset, seed=7, folds=folds), expected, strict=True
        ):
            assert list(map(np.ndarray.tolist, actual)) == list(map(np.ndarray.tolist, wanted))


def test_folds_import_no_training_library() -> None:
    program = """
import sys
import numpy as np
from housectl_trainer.folds import objective_folds
from housectl_trainer.subset import DataSubset
objective_folds(DataSubset(rows=np.zeros((9, 1)), targets=np.zeros(9), groups=None), seed=1)
print("sklearn" in sys.modules)
"""
    process = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert process.stdout == "False\n"


def test_three_folds_divide_the_training_rows(boston_dataset: Dataset) -> None:
    training = boston_dataset.training
    folds = objective_folds(training, seed=7, folds=3)
    assert len(folds) == 3
    tested = sorted(index for _, testing in folds for index in testing)
    assert tested == list(range(len(training)))


def test_single_fold_is_the_first_of_five(boston_dataset: Dataset) -> None:
    training = boston_dataset.training
    ((one, other),) = objective_folds(training, seed=7, folds=1)
    first, *_ = objective_folds(training, seed=7)
    assert (one.tolist(), other.tolist()) == tuple(map(np.ndarray.tolist, first))
    assert len(other) == -(-len(training) // 5)


def test_single_fold_forward_in_time_tests_on_the_latest_fifth(boston_dataset: Dataset) -> None:
    training = boston_dataset.training
    times = np.arange(len(training)) * 1.0
    subset = DataSubset(rows=training.rows, targets=training.targets, groups=None, times=times)
    ((one, other),) = objective_folds(subset, seed=7, folds=1)
    assert [*one, *other] == list(range(len(training)))
    assert len(other) == -(-len(training) // 5)
    assert len(objective_folds(subset, seed=7, folds=3)) == 3


def test_gate_folds_differ_from_each_other_and_from_objective_folds(
    boston_dataset: Dataset,
) -> None:
    training = boston_dataset.training
    test_folds = [frozenset(testing.tolist()) for _, testing in gate_folds(training, seed=7)]
    assert len(set(test_folds)) == 50
    assert sorted(index for fold in test_folds[:10] for index in fold) == list(range(len(training)))
    assert not set(test_folds) & {
        frozenset(fold.tolist()) for _, fold in objective_folds(training, seed=7)
    }


@pytest.mark.parametrize("with_times", [False, True])
def test_gate_with_fewer_repeats_has_as_many_folds(
    boston_dataset: Dataset, with_times: bool
) -> None:
    training = boston_dataset.training
    times = np.arange(len(training)) * 1.0 if with_times else None
    subset = DataSubset(rows=training.rows, targets=training.targets, groups=None, times=times)
    for gate in (GateFolds(repeats=2), GateFolds(repeats=1, folds=5)):
        folds = gate_folds(subset, seed=7, gate=gate)
        assert len({frozenset(testing.tolist()) for _, testing in folds}) == gate.total


def test_too_few_groups_are_rejected(make_inputs: MakeInputs) -> None:
    schema = Schema(
        features=(Feature(name="a", minimum=0.0, maximum=299.0),),
        target=Target(name="y"),
        exclusions=(Exclusion(name="town", reason="it is the group"),),
    )
    lines = [["a", "y", "town"], *([i, i % 7, f"town {i % 9}"] for i in range(300))]
    split = Split(method=SplitMethod.SHUFFLE, group="town", holdout=0.3)
    with pytest.raises(DataError, match="groups of training rows"):
        load_dataset(make_inputs(lines, schema, split))


@pytest.mark.parametrize(
    ("holdout", "message"),
    [(0.001, "holds out"), (0.95, "training rows"), (0.0, "between 0 and 1"), (1.5, "between")],
)
@pytest.mark.parametrize("method", [SplitMethod.HASH, SplitMethod.SHUFFLE])
def test_split_with_too_few_rows_on_one_side_is_rejected(
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
        load_dataset(inputs)


@pytest.mark.parametrize("factor", [1e-9, 1e20])
def test_hash_of_features_does_not_depend_on_the_unit_of_the_target(factor: float) -> None:
    split = Split(method=SplitMethod.HASH_FEATURES)
    tables = [
        Table(
            numbers={
                "x": array("d", range(200)),
                "y": array("d", [unit * row * 1.1 for row in range(200)]),
            },
            texts={},
            groups=(),
            times=array("d"),
            dropped=0,
        )
        for unit in (1.0, factor)
    ]
    first, second = (
        split_indices(
            split,
            RowKeys(texts=row_texts(table), features=feature_texts(table, target="y")),
            seed=7,
        )
        for table in tables
    )
    assert first == second
