"""The studies of the gate and of encodings: their rules, intervals and encodings."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.encoded_columns import Encoding, MixedRows, learn_encoder
from benchmarks.gate_study.candidates import Curve, Role, boosting_dial
from benchmarks.gate_study.cases import BETTER, EQUAL, is_promoted, pair_of
from benchmarks.gate_study.comparison import Halves, compare_rules, thresholds
from benchmarks.gate_study.many_rows import PAIRS, ManyRowsWorld, measure_many_rows
from benchmarks.gate_study.many_rows_page import with_many_rows
from benchmarks.gate_study.material import LEVEL_WORLDS, Material
from benchmarks.gate_study.page import with_results
from benchmarks.gate_study.process import make_process
from benchmarks.gate_study.random_features import MappedRows, RidgePath
from benchmarks.gate_study.rules import RULES, TODAY, TODAY_THRESHOLD, Pair, Rule, corrected_t
from benchmarks.gate_study.statistics import corrected_interval, wilson_interval
from benchmarks.gate_study.wear import CHALLENGERS, Wear
from housectl.contract.recipe import DEFAULT_GATE
from housectl.verdict import Gate
from housectl_trainer.fitting import fit

ROWS = 40


def test_wilson_interval_has_the_published_values() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I.
    for successes, total, low, high in [(81, 263, 0.2553, 0.3662), (0, 20, 0, 0.1611)]:
        rate = wilson_interval(successes, total)
        assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)
        assert rate.rate == successes / total


def test_corrected_interval_is_wider_than_that_of_independent_folds() -> None:
    differences = np.random.default_rng(0).normal(size=50)
    mean, low, high = corrected_interval(differences, folds=10)
    independent = 1.677 * differences.std(ddof=1) / math.sqrt(50)
    assert mean == differences.mean()
    assert high - mean == pytest.approx(mean - low)
    assert high - mean == pytest.approx(independent * math.sqrt(1 + 50 / 9), rel=1e-3)


def material(number: int, *, gain: float, repeats: int = 2 * DEFAULT_GATE.repeats) -> Material:
    """Return a world in which the better model's errors are lower by a gain."""
    rng = np.random.default_rng(number)
    folds = np.array(
        [rng.permutation(ROWS) % DEFAULT_GATE.folds for _ in range(repeats)], dtype=np.int8
    )
    offsets = np.array([-gain if role is Role.BETTER else 0.0 for role in Role])
    return Material(
        number=number,
        true_mses=3 + offsets,
        holdout=3 + offsets[:, None] + rng.normal(size=(len(Role), ROWS)),
        folds=folds,
        errors=3 + offsets[:, None, None] + rng.normal(size=(len(Role), repeats, ROWS)),
    )


@pytest.mark.parametrize("number", range(20))
def test_rule_of_today_agrees_with_the_gate(number: int) -> None:
    world = material(number, gain=0.2)
    for case in (EQUAL, BETTER):
        for challenger, champion in case.pairs:
            score = TODAY.value(pair_of(world, challenger, champion))
            assert is_promoted(world, challenger, champion) == (score > TODAY_THRESHOLD)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_prefers_a_better_challenger(rule: Rule) -> None:
    world = material(1, gain=0.5)
    better = rule.value(pair_of(world, Role.BETTER, Role.CHAMPION))
    worse = rule.value(pair_of(world, Role.CHAMPION, Role.BETTER))
    assert better > worse


def pair(holdout: float) -> Pair:
    folds = np.random.default_rng(0).normal(
        -1, 0.5, size=(DEFAULT_GATE.repeats, DEFAULT_GATE.folds)
    )
    return Pair(champion_mse=3, folds=folds, rows=folds.ravel(), holdout=np.full(4, holdout))


def test_rules_with_a_key_reject_a_higher_error_on_the_held_out_rows() -> None:
    for rule in (rule for rule in RULES if rule.key and not rule.further):
        assert rule.value(pair(-1)) > rule.value(pair(1)) == -math.inf


def test_margin_lowers_the_certainty() -> None:
    folds = pair(-1).folds
    assert corrected_t(folds, margin=0.5) < corrected_t(folds)
    assert corrected_t(folds) == pytest.approx(-corrected_t(-folds))


def test_threshold_is_exceeded_by_the_wanted_fraction() -> None:
    scores = np.random.default_rng(0).permutation(100).reshape(50, 2) / 100
    for rate in (0.0, 0.05, 0.5):
        (threshold,) = thresholds(scores, np.ones((1, 50), dtype=np.int64), rate)
        assert (scores > threshold).mean() == rate


def test_threshold_of_a_resample_is_that_of_its_copies() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(30, 2))
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=5)
    for each, threshold in zip(counts, thresholds(scores, counts, 0.1), strict=True):
        copies = np.repeat(scores, each, axis=0)
        (expected,) = thresholds(copies, np.ones((1, 30), dtype=np.int64), 0.1)
        assert threshold == expected


def test_no_world_chooses_the_threshold_that_judges_it() -> None:
    # In one half of the worlds, equal models have far higher scores than in the other half.
    high = np.arange(10) < 5
    halves = Halves(divisions=np.array([high]), rate=0.2)
    scores = {
        EQUAL.name: np.where(high, 10.0, 0.0)[:, None] + np.arange(10)[:, None] / 10,
        BETTER.name: np.full((10, 1), 5.0),
    }
    once = np.ones((1, 10), dtype=np.int64)
    assert halves.rates(scores, BETTER, once) == [0.0]
    reversed_halves = Halves(divisions=np.array([~high]), rate=0.2)
    assert reversed_halves.rates(scores, BETTER, once) == [1.0]


def test_rule_of_today_gains_nothing() -> None:
    results = compare_rules([material(number, gain=0.3) for number in range(30)])
    (today,) = (result for result in results if result.rule is TODAY)
    assert today.gain == today.low == today.high == 0
    assert today.rates[BETTER.name] > today.rates[EQUAL.name]
    for result in results:
        assert result.low <= result.gain <= result.high


def test_rules_with_further_repeats_use_only_worlds_that_have_them() -> None:
    worlds = [
        *(material(number, gain=0.3) for number in range(30)),
        *(material(number, gain=0.3, repeats=DEFAULT_GATE.repeats) for number in range(30, 40)),
    ]
    assert {result.rule.further: result.worlds for result in compare_rules(worlds)} == {
        True: 30,
        False: 40,
    }


def test_material_survives_its_file(tmp_path: Path) -> None:
    world = material(7, gain=0.3)
    path = tmp_path / "0007.npz"
    world.save(path)
    loaded = Material.load(path)
    assert loaded.number == 7
    assert np.array_equal(loaded.holdout, world.holdout)
    assert np.allclose(loaded.errors, world.errors)


def test_curve_finds_the_value_of_an_error() -> None:
    curve = Curve.of([1, 2, 4, 8, 16], [8.0, 4.0, 2.0, 1.0, 1.5])
    assert curve.best == 1
    assert curve.level_above(1.2) == 2
    assert [curve.value_at(mse) for mse in (8.0, 2.0, 1.0, 0.5, 9.0)] == [1, 4, 8, 8, 1]


def test_true_error_is_that_of_many_new_rows() -> None:
    rng = np.random.default_rng(0)
    for heavy_tails in (False, True):
        process = make_process(rng, heavy_tails=heavy_tails)
        recipe = boosting_dial(rng, seed=1).recipe(10, features=process.features)
        model = fit(recipe, process.sample(200, rng))
        fresh = process.sample(100_000, rng)
        measured = float(np.mean((model.predict(fresh.rows) - fresh.targets) ** 2))
        assert process.true_mse(model, fresh.rows) == pytest.approx(measured, rel=0.03)


def test_page_gets_the_tables_between_its_marks() -> None:
    wear = Wear(
        optimism=dict.fromkeys(Gate, (0.1,) * (1 + CHALLENGERS)),
        promotions=dict.fromkeys(Gate, 3),
    )
    begin = "<!-- results: `make gate-study` writes them -->"
    page = f"before\n{begin}\nprevious tables\n<!-- end of the results -->\n"
    numbers = (*range(20), *range(LEVEL_WORLDS, LEVEL_WORLDS + 10))
    worlds = [material(number, gain=0.3) for number in numbers]
    written = with_results(page, worlds, [wear, wear])
    assert written.startswith("before\n")
    assert "previous tables" not in written
    assert "The first 20 worlds" in written
    assert "The other 10 worlds" in written
    assert "| 20 | 10.0 % (10.0 to 10.0) |" in written
    assert with_results(written, worlds, [wear, wear]) == written
    with pytest.raises(ValueError, match="no marks"):
        with_results("before", worlds, [wear, wear])


def mixed_rows() -> MixedRows:
    return MixedRows(
        numbers=np.array([[0.5], [1.5], [2.5], [3.5]]),
        codes=np.array([[0], [1], [2], [0]]),
        levels=[4],
        targets=np.array([5.0, 1.0, 9.0, 7.0]),
    )


def test_one_hot_has_a_column_for_each_level() -> None:
    encoded = learn_encoder(Encoding.ONE_HOT, mixed_rows())(mixed_rows())
    assert encoded.tolist() == [
        [0.5, 1, 0, 0, 0],
        [1.5, 0, 1, 0, 0],
        [2.5, 0, 0, 1, 0],
        [3.5, 1, 0, 0, 0],
    ]


def test_target_order_is_learnt_from_training_rows_alone() -> None:
    training = mixed_rows().take(np.array([0, 1, 2]))
    rows = MixedRows(
        numbers=np.zeros((4, 1)),
        codes=np.array([[0], [1], [2], [3]]),
        levels=[4],
        targets=np.array([-100.0, 100.0, -100.0, 100.0]),
    )
    encoded = learn_encoder(Encoding.TARGET_ORDER, training)(rows)
    # The mean targets are 5, 1 and 9; the unseen level has their mean, 5.
    assert encoded[:, 1].tolist() == [1, 0, 3, 2]


@pytest.fixture(scope="module")
def many_rows_world() -> ManyRowsWorld:
    return measure_many_rows(400, 1)


def test_models_of_many_rows_have_the_wanted_true_errors(many_rows_world: ManyRowsWorld) -> None:
    wanted = (1, 1.05, 0.9, 0.4, 0.97)
    for (pair, *_), ratio in zip(PAIRS.values(), wanted, strict=True):
        assert many_rows_world.ratio(*pair) == pytest.approx(ratio, rel=0.1)


def test_ridge_path_has_the_weights_of_each_penalty() -> None:
    rng = np.random.default_rng(0)
    moments = MappedRows(features=rng.normal(size=(30, 4)), targets=rng.normal(size=30)).moments
    path = RidgePath.of(moments)
    for penalty, expected in zip((0.01, 3.0), moments.weights((0.01, 3.0)).T, strict=True):
        assert path.weights(penalty) == pytest.approx(expected)


def test_page_has_the_rates_of_each_gate(many_rows_world: ManyRowsWorld) -> None:
    begin, end = (
        "<!-- results with many rows: `make gate-study` writes them -->\n",
        "<!-- end of the results with many rows -->\n",
    )
    worlds = {
        rows: [msgspec.structs.replace(many_rows_world, rows=rows)] for rows in (400, 2_000, 10_000)
    }
    few = {
        role: msgspec.structs.replace(model, fold_mses=model.fold_mses[2:])
        for role, model in many_rows_world.models.items()
    }
    worlds[100_000] = [msgspec.structs.replace(many_rows_world, rows=100_000, models=few)]
    page = with_many_rows(f"before\n{begin}{end}after\n", worlds)
    assert page.startswith("before\n")
    for line in (
        "| 400 | 1 | **5 times 10** |",
        "| 2,000 | 1 | **2 times 10** |",
        "| 10,000 | 1 | **1 time 10** |",
        "| 100,000 | 1 | **1 time 5** |",
    ):
        assert line in page
    assert with_many_rows(page, worlds) == page
