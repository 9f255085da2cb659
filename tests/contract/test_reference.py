"""The reference of a bundle: distributions of the training rows, exact or coarse."""

import json
from dataclasses import replace

import numpy as np
import pytest

from housectl.contract.golden import GoldenSource
from housectl.contract.record import MalformedRecordError
from housectl.contract.reference import MAX_EDGES, Distribution, Reference
from housectl_trainer.sealing.reference import make_reference
from tests.trainer.mixed_data import mixed_dataset

DATASET = mixed_dataset()
SCHEMA = DATASET.shared.schema
TRAINING = DATASET.values[: len(DATASET.training)]


@pytest.fixture(scope="module")
def exact() -> Reference:
    return make_reference(DATASET, GoldenSource.DATA)


@pytest.fixture(scope="module")
def coarse() -> Reference:
    return make_reference(DATASET, GoldenSource.SYNTHETIC)


def test_counts_are_those_of_the_training_rows(exact: Reference) -> None:
    assert exact.rows == len(TRAINING)
    assert tuple(exact.features) == SCHEMA.feature_names
    for column, distribution in zip(TRAINING.T, exact.features.values(), strict=True):
        bounds = [-np.inf, *distribution.edges, np.inf]
        for number, count in enumerate(distribution.counts):
            low, high = bounds[number : number + 2]
            assert count == sum(low < value <= high for value in column.tolist())
        assert distribution.missing == np.isnan(column).sum()
        assert sum(distribution.counts) + distribution.missing == exact.rows


def test_bins_of_numbers_are_deciles_of_the_data(exact: Reference) -> None:
    number = next(place for place, each in enumerate(SCHEMA.features) if each.name == "area")
    distribution = exact.features["area"]
    assert len(distribution.counts) == 10
    assert set(distribution.edges) <= set(TRAINING[:, number].tolist())
    assert max(distribution.counts) - min(distribution.counts) <= 2


def test_bins_of_categories_are_codes(exact: Reference) -> None:
    assert exact.features["class"].edges == (-0.5, 0.5, 1.5)
    assert exact.features["pool"].edges == (0.5,)
    others, *levels = exact.features["class"].counts
    assert others == 0
    assert min(levels) > 0


def test_target_has_bins_of_equal_width(exact: Reference) -> None:
    targets = DATASET.training.targets
    assert exact.target_range == (targets.min(), targets.max())
    assert len(exact.target.counts) == 20
    assert np.diff(exact.target.edges) == pytest.approx(np.diff(exact.target.edges)[0])
    assert sum(exact.target.counts) == exact.rows


def test_coarse_reference_has_round_edges_and_no_small_count(coarse: Reference) -> None:
    assert coarse.rounded
    distributions = [*coarse.features.values(), coarse.target]
    counts = {count for each in distributions for count in (*each.counts, each.missing)}
    assert not [count for count in counts if count % 5 or 0 < count < 10]
    assert len(coarse.features["area"].counts) == 5
    assert [edge % 10 for edge in coarse.features["area"].edges] == [0, 0, 0, 0]
    assert not [edge % 1 for edge in (*coarse.target.edges, *coarse.target_range) if edge % 1]


@pytest.mark.parametrize("source", GoldenSource)
def test_order_of_the_rows_does_not_change_a_byte(source: GoldenSource) -> None:
    order = np.random.default_rng(1).permutation(len(TRAINING))
    shuffled = replace(DATASET, values=TRAINING[order], training=DATASET.training.take(order))
    content = make_reference(DATASET, source).to_json()
    assert make_reference(shuffled, source).to_json() == content
    assert Reference.from_json(content).to_json() == content


@pytest.mark.parametrize("values", [[3.0] * 60, [0.0] * 59 + [1.0], [np.nan] * 59 + [1.0]])
@pytest.mark.parametrize("source", GoldenSource)
def test_columns_of_few_values_have_distributions(
    values: list[float], source: GoldenSource
) -> None:
    changed = np.resize(values, TRAINING.shape)
    reference = make_reference(replace(DATASET, values=changed), source)
    assert all(len(each.counts) <= 5 for each in list(reference.features.values())[:1])


def test_values_are_counted_with_missing_ones_at_last() -> None:
    distribution = Distribution(edges=(1.0, 2.0), counts=(0, 0, 0))
    counts = distribution.count(np.array([1.0, 1.5, 2.0, 7.0, np.nan, -np.inf]))
    assert counts.tolist() == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"edges": [1.0]}, "1 edges have 1 counts"),
        ({"edges": [2.0, 1.0], "counts": [1, 1, 1]}, "not ascending"),
        ({"edges": [1.0, 1.0], "counts": [1, 1, 1]}, "not ascending"),
        ({"counts": [-1]}, ">= 0"),
        ({"edges": list(range(MAX_EDGES + 1))}, "length <= 100"),
        ({"edges": [float("nan")], "counts": [1, 1]}, "malformed"),
    ],
)
def test_invalid_distribution_is_refused(changes: dict[str, object], match: str) -> None:
    target = {"edges": [], "counts": [1], "missing": 0, **changes}
    record = {
        "schema_version": 1,
        "rows": 1,
        "features": {},
        "target": target,
        "target_range": [0.0, 1.0],
        "rounded": False,
    }
    with pytest.raises(MalformedRecordError, match=match):
        Reference.from_json(json.dumps(record).encode())
