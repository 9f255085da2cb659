import math
from dataclasses import replace

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from housectl.contract.evidence import Errors, Evidence
from housectl.contract.families import Family
from housectl.contract.recipe import DEFAULT_GATE, GateFolds, Recipe, Split
from housectl.fold_difference import paired_difference
from housectl.verdict import BASELINE_LEVEL, CHAMPION_LEVEL, Gate, judge

FOLDS = DEFAULT_GATE.total


def folds(mean: float, spread: float = 1.0, count: int = FOLDS) -> tuple[float, ...]:
    return tuple(mean + spread * math.sin(number) for number in range(count))


def evidence(
    holdout: float,
    fold_mses: tuple[float, ...],
    *,
    rows: str = "rows",
    baseline: float = 80.0,
    gate: GateFolds | UnsetType = UNSET,
) -> Evidence:
    recipe = Recipe(
        family=Family.RANDOM_FOREST,
        assignment={},
        data="0" * 64,
        features=("a",),
        target="b",
        split=Split(),
        seed=1,
        libraries={},
        gate=gate,
    )
    count = recipe.gate_folds.total
    return Evidence(
        recipe=recipe,
        holdout_rows=rows,
        model=Errors(holdout_mse=holdout, fold_mses=fold_mses),
        mean=Errors(holdout_mse=baseline, fold_mses=folds(baseline, count=count)),
        linear=Errors(holdout_mse=24.0, fold_mses=folds(24.0, count=count)),
    )


def test_better_on_holdout_and_folds_is_accepted() -> None:
    verdict = judge(
        evidence(9.0, folds(9.0)), evidence(10.0, folds(10.0)), gate=Gate.HOLDOUT_AND_CV
    )
    assert verdict.accepted
    assert (verdict.challenger_mse, verdict.champion_mse) == (9.0, 10.0)
    assert verdict.difference is not None
    assert verdict.difference.mean == pytest.approx(-1.0)


def test_insignificant_improvement_is_rejected_unless_gate_is_holdout() -> None:
    champion = evidence(10.0, folds(10.0))
    noisy = tuple(10.0 + 4 * math.cos(3 * number) for number in range(FOLDS))
    verdict = judge(evidence(9.0, noisy), champion, gate=Gate.HOLDOUT_AND_CV)
    assert not verdict.accepted
    assert "stays" in verdict.reason
    assert judge(evidence(9.0, noisy), champion, gate=Gate.HOLDOUT).accepted


def test_champion_is_protected_by_a_stricter_level_than_a_baseline() -> None:
    # The improvement is between the thresholds of both levels.
    spread = tuple(3.6 * math.cos(3 * number) for number in range(FOLDS))
    new = tuple(9.0 + each for each in spread)
    old = Errors(holdout_mse=10.0, fold_mses=(10.0,) * FOLDS)
    challenger = msgspec.structs.replace(evidence(9.0, new), mean=old)
    against_champion = judge(challenger, evidence(10.0, old.fold_mses), gate=Gate.HOLDOUT_AND_CV)
    assert against_champion.difference is not None
    assert against_champion.difference.level == CHAMPION_LEVEL == 0.125
    assert not against_champion.accepted
    assert "p < 0.125" in against_champion.reason
    first = judge(challenger, None, gate=Gate.HOLDOUT_AND_CV)
    assert first.mean_difference.level == first.linear_difference.level == BASELINE_LEVEL == 0.2
    assert first.accepted


def test_better_on_folds_alone_is_rejected() -> None:
    verdict = judge(
        evidence(10.1, folds(8.0)), evidence(10.0, folds(10.0)), gate=Gate.HOLDOUT_AND_CV
    )
    assert not verdict.accepted


@pytest.mark.parametrize("gate", Gate)
def test_tie_keeps_champion(gate: Gate) -> None:
    verdict = judge(evidence(10.0, folds(10.0)), evidence(10.0, folds(10.0)), gate=gate)
    assert not verdict.accepted
    assert "the same recipe, and a tie" in verdict.reason
    assert verdict.hint is not None
    assert "--trials" in verdict.hint


@pytest.mark.parametrize("gate", Gate)
@pytest.mark.parametrize(
    ("holdout", "mean", "accepted"),
    [(10.0, 10.0, True), (90.0, 10.0, True), (10.0, 25.0, False), (10.0, 90.0, False)],
    ids=["better", "unlucky-holdout", "linear-better", "mean-better"],
)
def test_folds_decide_on_the_first_champion(
    gate: Gate, holdout: float, mean: float, accepted: bool
) -> None:
    verdict = judge(evidence(holdout, folds(mean)), None, gate=gate)
    assert verdict.accepted is accepted
    assert verdict.champion_mse is None
    assert f"{holdout:.4g}" in verdict.reason or not accepted


def test_first_champion_may_be_insignificantly_worse_than_a_linear_model() -> None:
    noisy = tuple(24.5 + 4 * math.cos(3 * number) for number in range(FOLDS))
    verdict = judge(evidence(30.0, noisy), None, gate=Gate.HOLDOUT_AND_CV)
    assert verdict.accepted
    assert verdict.linear_difference.mean > 0
    assert not verdict.linear_difference.is_significantly_worse


def test_first_champion_must_beat_the_mean_significantly() -> None:
    noisy = tuple(79.5 + 4 * math.cos(3 * number) for number in range(FOLDS))
    verdict = judge(evidence(10.0, noisy), None, gate=Gate.HOLDOUT_AND_CV)
    assert verdict.mean_difference.mean < 0
    assert not verdict.accepted
    assert "does not beat the mean" in verdict.reason


@pytest.mark.parametrize("mean", [25.0, 90.0], ids=["linear", "mean"])
def test_rejection_names_the_next_step(mean: float) -> None:
    verdict = judge(evidence(10.0, folds(mean)), None, gate=Gate.HOLDOUT_AND_CV)
    assert verdict.hint == "housectl tune --family auto"
    assert verdict.hint in verdict.reason


def test_model_with_nan_error_is_rejected() -> None:
    challenger = evidence(math.nan, folds(9.0))
    assert not judge(challenger, evidence(10.0, folds(10.0)), gate=Gate.HOLDOUT).accepted


def test_different_rows_raise_value_error() -> None:
    with pytest.raises(ValueError, match="different rows"):
        judge(
            evidence(9.0, folds(9.0)),
            evidence(10.0, folds(10.0), rows="others"),
            gate=Gate.HOLDOUT_AND_CV,
        )


def test_different_gates_raise_value_error() -> None:
    gate = GateFolds(repeats=2)
    with pytest.raises(ValueError, match="different folds"):
        judge(
            evidence(9.0, folds(9.0)),
            evidence(10.0, folds(10.0, count=gate.total), gate=gate),
            gate=Gate.HOLDOUT_AND_CV,
        )


@pytest.mark.parametrize("count", [0, 19, 21, 50])
def test_evidence_has_as_many_errors_as_the_gate_has_folds(count: int) -> None:
    gate = GateFolds(repeats=2)
    record = evidence(9.0, folds(9.0, count=20), rows="0" * 64, gate=gate)
    assert Evidence.from_json(record.to_json()) == record
    with pytest.raises(ValueError, match=f"{count} fold MSEs for 20 folds"):
        evidence(9.0, folds(9.0, count=count), gate=gate)


@pytest.mark.parametrize(
    ("gate", "quantile"),
    [
        (GateFolds(repeats=2), 1.187),
        (GateFolds(repeats=1), 1.230),
        (GateFolds(repeats=1, folds=5), 1.344),
    ],
)
def test_fewer_folds_need_a_larger_improvement(gate: GateFolds, quantile: float) -> None:
    new = tuple(9.0 + number % 3 for number in range(gate.total))
    old = evidence(20.0, (10.5,) * gate.total, gate=gate)
    difference = judge(evidence(9.0, new, gate=gate), old, gate=Gate.HOLDOUT_AND_CV).difference
    assert difference is not None
    mean = sum(new) / gate.total
    variance = sum((value - mean) ** 2 for value in new) / (gate.total - 1)
    error = math.sqrt((1 / gate.total + 1 / (gate.folds - 1)) * variance)
    assert difference.threshold == pytest.approx(quantile * error)


@pytest.mark.parametrize(("level", "quantile"), [(0.2, 0.849), (0.125, 1.164), (0.05, 1.677)])
def test_interval_is_that_of_nadeau_and_bengio(level: float, quantile: float) -> None:
    new = Errors(holdout_mse=1.0, fold_mses=tuple(float(number % 7) for number in range(FOLDS)))
    old = Errors(holdout_mse=1.0, fold_mses=(3.0,) * FOLDS)
    difference = paired_difference(new, old, gate=DEFAULT_GATE, level=level)
    values = [number % 7 - 3.0 for number in range(FOLDS)]
    mean = sum(values) / FOLDS
    variance = sum((value - mean) ** 2 for value in values) / (FOLDS - 1)
    error = math.sqrt((1 / FOLDS + 1 / 9) * variance)
    assert difference.mean == pytest.approx(mean)
    assert difference.threshold == pytest.approx(quantile * error)
    opposite = paired_difference(old, new, gate=DEFAULT_GATE, level=level)
    assert opposite.is_significantly_worse is difference.is_significant
    assert difference.high - difference.low == pytest.approx(2 * 1.677 * error)


@pytest.mark.parametrize(("comparisons", "is_worn"), [(1, False), (9, False), (10, True)])
def test_held_out_rows_are_worn_from_the_tenth_comparison_on(
    comparisons: int, is_worn: bool
) -> None:
    verdict = judge(evidence(9.0, folds(9.0)), None, gate=Gate.HOLDOUT)
    assert verdict.wear is None
    assert bool(replace(verdict, comparisons=comparisons).wear) is is_worn


def test_r2_is_relative_to_the_mean_of_the_held_out_rows() -> None:
    measured = msgspec.structs.replace(evidence(20.0, folds(20.0)), holdout_variance=80.0)
    errors = measured.model_errors
    assert (errors.r2, errors.rmse) == (0.75, pytest.approx(20**0.5))
    assert measured.holdout_errors(measured.mean).r2 == 0
    for variance in (0.0, 5e-324, msgspec.UNSET):
        unknown = msgspec.structs.replace(measured, holdout_variance=variance)
        assert unknown.model_errors.r2 is None
