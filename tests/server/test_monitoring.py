"""Counts of several workers and models, without a server."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from housectl.contract.bundle import Bundle
from housectl.contract.psi import stability_index
from housectl.contract.reference import Distribution
from housectl.contract.schema import Feature, Schema, Target
from housectl_server.monitoring.exposition import render_metrics
from housectl_server.monitoring.model_counts import MAX_FEATURES, BinCounter, ModelCounts
from housectl_server.monitoring.monitor import Monitor, SwapResult, out_of_range_of
from housectl_server.monitoring.sliding_window import WINDOW_ROWS, SlidingWindow, count_latest
from tests.server.bundles import FLOWERS, HOUSES, REFERENCE, make_bundle

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def samples_of(monitor: Monitor) -> Samples:
    text, _ = render_metrics(monitor.snapshots(), accept="")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def labels_of(samples: Samples, name: str, label: str) -> list[str]:
    return [dict(labels)[label] for metric, labels in samples if metric == name]


def serve(monitor: Monitor, bundle: Bundle, *, number: int = 1) -> ModelCounts:
    model = ModelCounts(bundle, number=number)
    monitor.serve(model)
    return model


def record(model: ModelCounts, *rows: Sequence[float], prediction: float = 25.0) -> None:
    model.record(np.array(rows, dtype="float64"), [prediction] * len(rows))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_bundle(tmp_path, reference=REFERENCE)


def test_requests_are_counted_by_method_handler_status_and_duration() -> None:
    monitor = Monitor()
    for seconds in (0.0005, 0.002, 0.0025, 20.0):
        monitor.requests.add(("POST", "/predict", 200, seconds))
    monitor.requests.add(("BREW", "other", 405, 0.1))
    samples = samples_of(monitor)
    labels = {"method": "POST", "handler": "/predict", "status": "200"}
    assert value(samples, "http_requests_total", **labels) == 4
    for end, count in (("0.001", 1), ("0.0025", 3), ("10.0", 3), ("+Inf", 4)):
        name = "http_request_duration_seconds_bucket"
        assert value(samples, name, le=end, **labels) == count
    assert value(samples, "http_request_duration_seconds_sum", **labels) == pytest.approx(20.005)
    assert labels_of(samples, "http_requests_total", "method") == ["POST", "other"]


def test_number_of_series_is_bounded() -> None:
    monitor = Monitor()
    for number in range(2000):
        monitor.requests.add(("GET", f"/{number}", 200, 0.1))
    samples = samples_of(monitor)
    assert len(labels_of(samples, "http_requests_total", "handler")) == 1001
    assert (
        value(samples, "http_requests_total", method="other", handler="other", status="0") == 1000
    )


def test_counts_of_workers_are_added_and_swaps_count_once(tmp_path: Path, bundle: Bundle) -> None:
    monitors = [Monitor(tmp_path, slot=slot) for slot in (0, 1)]
    for monitor in monitors:
        model = serve(monitor, bundle)
        record(model, [9.0, 3.0], [6.5, 99.0])
        monitor.requests.add(("POST", "/predict", 200, 0.1))
        monitor.count_swap(SwapResult.SUCCESS)
        monitor.count_shed("POST", "/predict")
        monitor.snapshots()
    for monitor in monitors:
        samples = samples_of(monitor)
        assert value(samples, "housectl_predictions_total") == 4
        assert value(samples, "housectl_feature_out_of_range_total", feature="RM") == 2
        assert value(samples, "housectl_prediction_value_count") == 4
        assert value(samples, "housectl_prediction_value_sum") == 100
        assert value(samples, "housectl_shed_requests_total") == 2
        assert value(samples, "housectl_model_swaps_total", result="success") == 1
        labels = {"method": "POST", "handler": "/predict"}
        assert value(samples, "http_requests_total", status="200", **labels) == 2
        assert value(samples, "http_requests_total", status="503", **labels) == 2
        assert out_of_range_of(bundle.digest, monitor.snapshots()) == [2, 2]


def test_replacement_of_a_dead_worker_continues_its_counts(tmp_path: Path, bundle: Bundle) -> None:
    for expected in (1, 2, 3):
        monitor = Monitor(tmp_path)
        model = serve(monitor, bundle)
        record(model, [9.0, 3.0])
        monitor.requests.add(("POST", "/predict", 200, 0.1))
        samples = samples_of(monitor)
        assert value(samples, "housectl_predictions_total") == expected
        assert value(samples, "housectl_feature_out_of_range_total", feature="RM") == expected
        assert value(samples, "housectl_prediction_value_count") == expected
        labels = {"method": "POST", "handler": "/predict", "status": "200"}
        assert value(samples, "http_requests_total", **labels) == expected


def test_damaged_snapshot_is_ignored(tmp_path: Path, bundle: Bundle) -> None:
    (tmp_path / "metrics-0").write_bytes(b"\x93")
    (tmp_path / "metrics-1").write_bytes(b"")
    monitor = Monitor(tmp_path)
    record(serve(monitor, bundle), [6.5, 3.0])
    assert value(samples_of(monitor), "housectl_predictions_total") == 1


def test_counts_survive_a_swap_to_other_features(tmp_path: Path, bundle: Bundle) -> None:
    monitor = Monitor()
    former = serve(monitor, bundle)
    record(former, [9.0, 99.0])
    rooms = Schema(features=HOUSES.features[:1], target=HOUSES.target)
    other = make_bundle(tmp_path, schema=rooms)
    model = serve(monitor, other, number=2)
    record(model, [9.0])
    record(former, [9.0, 99.0])  # a request in flight
    samples = samples_of(monitor)
    assert value(samples, "housectl_predictions_total") == 3
    assert value(samples, "housectl_feature_out_of_range_total", feature="RM") == 2
    assert labels_of(samples, "housectl_feature_out_of_range_total", "feature") == ["RM"]
    assert out_of_range_of(other.digest, monitor.snapshots()) == [1]
    assert value(samples, "housectl_champion_number") == 2
    assert labels_of(samples, "housectl_model_info", "digest") == [other.digest]


def test_bundle_without_reference_says_why_it_has_no_distributions(tmp_path: Path) -> None:
    monitor = Monitor()
    record(serve(monitor, make_bundle(tmp_path, schema=FLOWERS)), [6.5])
    text, _ = render_metrics(monitor.snapshots(), accept="")
    for name in ("housectl_feature_psi", "housectl_prediction_value"):
        assert f"# HELP {name} The bundle has no reference" in text.decode()
        assert not labels_of(samples_of(monitor), name, "feature")


def test_newest_model_is_shown_while_workers_swap(tmp_path: Path, bundle: Bundle) -> None:
    behind, ahead = (Monitor(tmp_path, slot=slot) for slot in (0, 1))
    record(serve(behind, bundle), [6.5, 3.0])
    newer = make_bundle(tmp_path, base=1.0, reference=REFERENCE)
    record(serve(ahead, newer, number=2), [9.0, 3.0])
    ahead.snapshots()
    samples = samples_of(behind)
    assert labels_of(samples, "housectl_model_info", "digest") == [newer.digest]
    assert value(samples, "housectl_feature_out_of_range_total", feature="RM") == 1
    assert value(samples, "housectl_predictions_total") == 2


def test_labels_are_printable_short_unique_and_bounded(tmp_path: Path) -> None:
    names = ["a\nb", "x" * 101, "x" * 102, "other", *(f"f{number}" for number in range(120))]
    features = tuple(Feature(name=name, minimum=0.0, maximum=1.0) for name in names)
    schema = Schema(features=features, target=Target(name="y"))
    monitor = Monitor()
    record(serve(monitor, make_bundle(tmp_path, schema=schema)), [2.0] * len(names))
    samples = samples_of(monitor)
    labels = labels_of(samples, "housectl_feature_out_of_range_total", "feature")
    assert labels[:4] == ["a\\nb", "x" * 100, f"{'x' * 100} (3)", "other (4)"]
    assert len(set(labels)) == len(labels) == MAX_FEATURES + 1
    others = value(samples, "housectl_feature_out_of_range_total", feature="other")
    assert others == len(names) - MAX_FEATURES


def test_psi_appears_with_enough_rows_and_is_that_of_the_latest(bundle: Bundle) -> None:
    monitor = Monitor()
    model = serve(monitor, bundle)
    record(model, *[[4.5, 3.0]] * 100)
    assert not labels_of(samples_of(monitor), "housectl_feature_psi", "feature")
    record(model, *[[4.5, 3.0]] * 900)
    assert value(samples_of(monitor), "housectl_feature_psi", feature="RM") > 2
    table = np.array([[4.5, 3.0], [5.5, 7.0], [6.5, 20.0], [7.5, np.nan]] * 2500)
    model.record(table, np.full(len(table), 25.0))
    samples = samples_of(monitor)
    assert value(samples, "housectl_feature_psi", feature="RM") == pytest.approx(0, abs=1e-9)
    assert value(samples, "housectl_feature_psi", feature="LSTAT") > 0.1
    assert value(samples, "housectl_predictions_total") == 11_000


@pytest.mark.parametrize(
    ("expected", "observed", "index"),
    [
        ((50, 50), (100, 100), 0.0),
        ((50, 50), (150, 50), 0.25 * np.log(1.5) - 0.25 * np.log(0.5)),
        ((100, 0), (100, 0), 0.0),
        ((50, 50), (200, 0), 0.5 * np.log(2) - (1e-4 - 0.5) * np.log(0.5 / 1e-4)),
        ((50, 50), (100, 99), None),
        ((0, 0), (100, 100), None),
    ],
)
def test_psi(expected: tuple[int, ...], observed: tuple[int, ...], index: float | None) -> None:
    assert stability_index(expected, observed) == (
        None if index is None else pytest.approx(index, abs=1e-12)
    )


def test_bins_are_those_of_the_reference() -> None:
    distributions = list(REFERENCE.features.values())
    generator = np.random.default_rng(0)
    rows = generator.uniform(4.0, 11.0, size=(200, 3))
    rows[:20, 1], rows[20:30, 0] = np.nan, 6.0
    expected = [each.count(rows[:, number]) for number, each in enumerate(distributions)]
    assert BinCounter(distributions).count(rows).tolist() == np.concatenate(expected).tolist()


def test_window_has_the_latest_rows_of_all_workers() -> None:
    windows = [SlidingWindow(bins=1) for _ in range(2)]
    for now in range(1000):
        windows[now % 2].add(np.array([now]), rows=50, now=now)
    counts = count_latest([window.snapshot() for window in windows], bins=1)
    latest = WINDOW_ROWS // 50
    assert counts.tolist() == [sum(range(1000 - latest, 1000))]
    assert sum(block.rows for block in windows[0].blocks) <= WINDOW_ROWS + 500


def test_changed_edges_begin_a_new_histogram(tmp_path: Path, bundle: Bundle) -> None:
    monitor = Monitor()
    record(serve(monitor, bundle), [6.5, 3.0])
    same = make_bundle(tmp_path, base=1.0, reference=REFERENCE)
    serve(monitor, same, number=2)
    assert value(samples_of(monitor), "housectl_prediction_value_count") == 1
    target = Distribution(edges=(15.0,), counts=(50, 50))
    reference = msgspec.structs.replace(REFERENCE, target=target)
    other = make_bundle(tmp_path, base=2.0, reference=reference)
    serve(monitor, other, number=3)
    assert value(samples_of(monitor), "housectl_prediction_value_count") == 0
