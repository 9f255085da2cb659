"""The linear family: ridge regression with equal bits on every machine."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from housectl.contract.families import Family
from housectl.contract.graph.linear_graph import LinearGraph, check_linear
from housectl.contract.schema import FLOAT32_MAXIMUM
from housectl.contract.scorer import Scorer
from housectl.errors import SealError
from housectl_trainer import fitting
from housectl_trainer.families.linear import FAMILY, LinearModel
from housectl_trainer.fitting import make_recipe
from housectl_trainer.linear_algebra import gram_matrix, solve, sums_of_products
from housectl_trainer.model_family import TrainingRows
from housectl_trainer.sealing.onnx_export import to_onnx
from housectl_trainer.sealing.parity import Tolerance, check_parity
from housectl_trainer.subset import Floats
from tests.trainer.mixed_data import mixed_dataset

ROWS = 300
ALPHAS = (1e-6, 1e-3, 1.0)


def training(rows: Floats, targets: Floats) -> TrainingRows:
    return TrainingRows(expand=lambda: rows, targets=targets)


def fit(rows: Floats, targets: Floats, alpha: float = 1e-3) -> LinearModel:
    model = FAMILY.fit({"alpha": alpha}, training(rows, targets), seed=0, threads=1)
    assert isinstance(model, LinearModel)
    check_linear(model.graph)
    return model


def random_rows() -> Floats:
    return np.random.default_rng(0).normal(size=(ROWS, 6))


def collinear() -> Floats:
    rows = random_rows()
    rows[:, 3] = rows[:, 0] - 2 * rows[:, 1]
    rows[:, 4] = rows[:, 2]
    return rows


def nearly_collinear() -> Floats:
    rows = random_rows()
    rows[:, 3] = rows[:, 0] + 1e-9 * rows[:, 1]
    return rows


def polynomial() -> Floats:
    return np.vander(np.linspace(0, 1, ROWS), 12)[:, :-1]


def one_hot() -> Floats:
    codes = np.random.default_rng(1).integers(7, size=ROWS)
    return np.column_stack([np.eye(7)[codes], random_rows()[:, :2]])


def units() -> Floats:
    return random_rows() * [1e-30, 1e-6, 1.0, 1e6, 1e18, 1e30] + [0, 0, 1e6, 0, 0, 0]


def more_columns_than_rows() -> Floats:
    return np.random.default_rng(4).normal(size=(20, 50))


ROW_SETS = {
    each.__name__: each
    for each in (
        random_rows,
        collinear,
        nearly_collinear,
        polynomial,
        one_hot,
        units,
        more_columns_than_rows,
    )
}


def targets_of(rows: Floats) -> Floats:
    standardised = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    noise = np.random.default_rng(2).normal(size=len(rows))
    targets = standardised @ np.linspace(-1, 1, rows.shape[1]) + 0.5 * noise
    return (targets - targets.mean()) / targets.std() + 3


@pytest.mark.parametrize("name", ROW_SETS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_predictions_are_those_of_scikit_learn(name: str, alpha: float) -> None:
    rows = ROW_SETS[name]()
    targets = targets_of(rows)
    ridge = make_pipeline(StandardScaler(), Ridge(alpha=alpha * len(rows), solver="svd"))
    expected = ridge.fit(rows, targets).predict(rows)
    assert np.abs(fit(rows, targets, alpha).predict(rows) - expected).max() < 1e-8


@pytest.mark.parametrize("alpha", ALPHAS)
def test_gaps_are_means_with_weights_of_their_own(alpha: float) -> None:
    rows = random_rows()
    rows[:, 5] *= 1e5
    targets = targets_of(rows)
    is_missing = np.random.default_rng(3).random(rows.shape) < [0, 0.3, 0, 0.01, 0.9, 0]
    targets[is_missing[:, 1]] += 2
    rows[is_missing] = np.nan
    reference = make_pipeline(
        make_union(SimpleImputer(), MissingIndicator()),
        StandardScaler(),
        Ridge(alpha=alpha * len(rows), solver="svd"),
    )
    expected = reference.fit(rows, targets).predict(rows)
    assert np.abs(fit(rows, targets, alpha).predict(rows) - expected).max() < 1e-8


def test_value_that_is_missing_only_at_prediction_is_the_mean() -> None:
    rows = random_rows()
    model = fit(rows, targets_of(rows))
    row = rows[:1].copy()
    row[0, 2] = np.nan
    filled = rows[:1].copy()
    filled[0, 2] = rows[:, 2].mean()
    assert model.predict(row) == pytest.approx(model.predict(filled), abs=1e-12)


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, -1e30, 1e-300, np.nan])
def test_constant_column_is_ignored(constant: float) -> None:
    rows = random_rows()
    targets = targets_of(rows)
    widened = np.column_stack([rows, np.full(len(rows), constant)])
    model = fit(widened, targets)
    assert model.graph.weights[-1] == model.graph.missing[-1] == 0
    assert np.array_equal(model.predict(widened), fit(rows, targets).predict(rows))


def test_column_that_varies_only_by_rounding_is_ignored() -> None:
    rows = random_rows()
    rows[:, 1] = 0.3
    rows[::2, 1] = 0.1 + 0.2
    assert len(set(rows[:, 1])) == 2
    assert fit(rows, targets_of(rows)).graph.weights[1] == 0


def test_constant_column_with_gaps_has_only_the_weight_of_a_gap() -> None:
    rows = random_rows()
    targets = targets_of(rows)
    rows[:, 0] = 4.0
    rows[::3, 0] = np.nan
    targets[::3] += 5
    graph = fit(rows, targets, alpha=1e-6).graph
    assert graph.weights[0] == 0
    assert graph.missing[0] == pytest.approx(5, abs=0.5)


def test_constant_target_is_predicted() -> None:
    rows = random_rows()
    assert (fit(rows, np.full(ROWS, 0.1)).predict(rows) == 0.1).all()


def test_farthest_rows_get_finite_predictions() -> None:
    rows = units()
    model = fit(rows, targets_of(rows), alpha=1e-6)
    farthest = np.full((2, rows.shape[1]), FLOAT32_MAXIMUM) * [[1], [-1]]
    assert np.isfinite(model.predict(farthest)).all()


def test_absent_alpha_is_the_default() -> None:
    rows = random_rows()
    targets = targets_of(rows)
    default = FAMILY.fit({}, training(rows, targets), seed=0, threads=1)
    alpha = Family.LINEAR.definition.library_defaults["alpha"]
    assert default.native() == fit(rows, targets, float(alpha)).native()


def test_solution_of_an_ill_conditioned_system_is_precise() -> None:
    columns = np.ascontiguousarray(polynomial().T)
    matrix = gram_matrix(columns) + 1e-6 * np.eye(len(columns))
    expected = np.linspace(-1, 1, len(columns))
    assert np.abs(solve(matrix, matrix @ expected) - expected).max() < 1e-8


@pytest.mark.parametrize("name", ["centres", "weights", "missing", "intercept"])
def test_graph_with_other_numbers_is_rejected(name: str) -> None:
    dataset = mixed_dataset()
    model = fitting.fit(make_recipe(dataset.shared, Family.LINEAR, {}), dataset.training)
    body = model.model.body()
    assert isinstance(body, LinearGraph)
    wrong = replace(body, **{name: getattr(body, name) * (1 + 1e-6)})
    graph = to_onnx(wrong, expansion=model.expansion, scale=model.scale).content
    scorer = Scorer(graph, schema=dataset.shared.schema)
    tolerance = Tolerance.for_model(model.scale, dataset.training.targets, bound=1e-10)
    with pytest.raises(SealError, match="differs from the model"):
        check_parity(scorer, model.predict, dataset.all_rows, tolerance=tolerance)


_SCRIPT = """
import hashlib, random
import numpy as np
from housectl_trainer.families.linear import FAMILY
from housectl_trainer.model_family import TrainingRows

numbers = random.Random(3)
rows = np.array([[numbers.random() for _ in range(15)] for _ in range(1003)])
rows[:, 3] = rows[:, 1] + 1e-4 * rows[:, 2]
rows[::7, 5] = np.nan
targets = np.array([numbers.random() for _ in range(1003)])
training = TrainingRows(expand=lambda: rows, targets=targets)
model = FAMILY.fit({"alpha": 1e-6}, training, seed=1, threads=1)
print(hashlib.sha256(model.native() + model.predict(rows).tobytes()).hexdigest())
"""


@pytest.mark.parametrize("is_old", [False, True])
def test_model_has_the_same_bits_on_every_processor(is_old: bool) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env={**os.environ, **(_old_processor() if is_old else {})},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert completed.stdout.strip() == (
        "d70feaa40b8bc883d1496b8d0ec93bb8e409d0e6bf042c3afa4c800e5f894cbb"
    )


def _old_processor() -> dict[str, str]:
    """Return variables with which NumPy and OpenBLAS use only instructions of old processors."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    newer = [each for each in __cpu_dispatch__ if __cpu_features__.get(each)]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(newer), "OPENBLAS_CORETYPE": "Nehalem"}


def test_sums_of_products_do_not_depend_on_the_number_of_columns() -> None:
    columns = np.random.default_rng(3).normal(size=(40, 5000))
    sums = sums_of_products(columns, columns[0])
    assert sums.tolist() == [float((column * columns[0]).sum()) for column in columns]
