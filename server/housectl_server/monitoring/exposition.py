"""The exposition of /metrics: the counts of all workers as metrics of Prometheus."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np
from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from housectl_server.monitoring.drift import feature_drifts
from housectl_server.monitoring.model_counts import NO_REFERENCE, out_of_range_by_label
from housectl_server.monitoring.monitor import SwapResult
from housectl_server.monitoring.request_counts import DURATION_BUCKETS
from housectl_server.monitoring.snapshot import (
    DIFFERENCE_BUCKETS,
    CanarySnapshot,
    ModelDescription,
    ModelSnapshot,
    RequestSeries,
    ShadowSnapshot,
    Snapshot,
)

_REQUEST_LABELS = ("method", "handler", "status")

_Key = TypeVar("_Key", str, tuple[str, str])


def render_metrics(snapshots: Sequence[Snapshot], *, accept: str) -> tuple[bytes, str]:
    """Return the text of all metrics and its media type.

    Args:
        snapshots: Counts of all workers.
        accept: Header of the request; it chooses between Prometheus's format and OpenMetrics.
    """
    registry = CollectorRegistry()
    registry.register(_Snapshots(snapshots))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Snapshots(Collector):
    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._snapshots = snapshots

    def collect(self) -> Iterator[Metric]:
        yield from _request_metrics(self._snapshots)
        yield from _server_metrics(self._snapshots)
        if models := served_models(self._snapshots):
            yield from _model_metrics(models)
        if shadow := shadow_total(self._snapshots):
            yield from _shadow_metrics(shadow)
        if canaries := [each.canary for each in self._snapshots if each.canary]:
            yield from _canary_metrics(canaries)


def served_models(snapshots: Sequence[Snapshot]) -> list[ModelSnapshot]:
    """Return the counts of the newest served model, of each worker that serves it.

    During a promotion, some workers serve the former model for a moment.
    """
    models = [snapshot.model for snapshot in snapshots if snapshot.model]
    newest = max((model.description.number for model in models), default=0)
    return [model for model in models if model.description.number == newest]


def shadow_total(snapshots: Sequence[Snapshot]) -> ShadowSnapshot | None:
    """Return the differences from the newest champion, of all workers; None without a shadow."""
    shadows = [each.shadow for each in snapshots if each.shadow]
    if not shadows:
        return None
    models = served_models(snapshots)
    champion = models[0].description.digest if models else ""
    first, *others = [each for each in shadows if each.champion == champion] or shadows[:1]
    total = first.copy()
    for each in others:
        total.buckets = [a + b for a, b in zip(total.buckets, each.buckets, strict=True)]
        total.rows += each.rows
        total.absolute_sum += each.absolute_sum
        total.relative_sum += each.relative_sum
        total.failures += each.failures
        total.dropped += each.dropped
    return total


def _shadow_metrics(shadow: ShadowSnapshot) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "housectl_shadow_info", "The shadow, and its champion.", labels=("digest", "champion")
    )
    info.add_metric((shadow.digest, shadow.champion), 1)
    yield info
    counters = {
        "rows": ("Rows that the shadow was compared for.", shadow.rows),
        "failures": ("Rows for which the shadow predicts no finite number.", shadow.failures),
        "dropped_rows": ("Rows that were not compared: too many waited.", shadow.dropped),
    }
    for name, (text, value) in counters.items():
        yield CounterMetricFamily(f"housectl_shadow_{name}", text, value=value)
    if shadow.rows:
        yield GaugeMetricFamily(
            "housectl_shadow_mean_absolute_difference",
            "Mean absolute difference from the predictions of the champion.",
            value=shadow.absolute_sum / shadow.rows,
        )
    differences = HistogramMetricFamily(
        "housectl_shadow_relative_difference",
        "Absolute difference as a fraction of the greater prediction.",
        labels=(),
    )
    differences.add_metric(
        (), _cumulative(DIFFERENCE_BUCKETS, shadow.buckets), sum_value=shadow.relative_sum
    )
    yield differences


def _canary_metrics(canaries: Sequence[CanarySnapshot]) -> Iterator[Metric]:
    description = canaries[0].model.description
    yield _info("housectl_canary_info", "The canary.", description)
    yield CounterMetricFamily(
        "housectl_canary_predictions",
        "Rows that the canary predicted.",
        value=sum(each.predictions for each in canaries),
    )
    series = [series for each in canaries for series in each.requests]
    yield from _request_series(
        series, "housectl_canary_requests", "housectl_canary_request_duration_seconds"
    )
    if description.prediction_edges:
        yield _prediction_histogram(
            "housectl_canary_prediction_value", [each.model for each in canaries]
        )


def _request_metrics(snapshots: Sequence[Snapshot]) -> Iterator[Metric]:
    series = [series for snapshot in snapshots for series in snapshot.requests]
    yield from _request_series(series, "http_requests", "http_request_duration_seconds")


def _request_series(
    all_series: Iterable[RequestSeries], counter: str, histogram: str
) -> Iterator[Metric]:
    buckets: dict[tuple[str, ...], list[int]] = defaultdict(
        lambda: [0] * (len(DURATION_BUCKETS) + 1)
    )
    seconds: dict[tuple[str, ...], float] = defaultdict(float)
    for series in all_series:
        labels: tuple[str, ...] = (series.method, series.handler, str(series.status))
        buckets[labels] = [a + b for a, b in zip(buckets[labels], series.buckets, strict=True)]
        seconds[labels] += series.seconds
    requests = CounterMetricFamily(counter, "Answered requests.", labels=_REQUEST_LABELS)
    durations = HistogramMetricFamily(histogram, "Time to the answer.", labels=_REQUEST_LABELS)
    for labels in sorted(buckets):
        requests.add_metric(labels, sum(buckets[labels]))
        durations.add_metric(
            labels, _cumulative(DURATION_BUCKETS, buckets[labels]), sum_value=seconds[labels]
        )
    yield requests
    yield durations


def _server_metrics(snapshots: Sequence[Snapshot]) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "housectl_predictions",
        "Predicted rows.",
        value=sum(each.predictions for each in snapshots),
    )
    yield CounterMetricFamily(
        "housectl_shed_requests",
        "Requests that were refused because of overload.",
        value=sum(each.shed for each in snapshots),
    )
    # Every worker follows the store, so a promotion would count once for each worker.
    swaps = CounterMetricFamily(
        "housectl_model_swaps", "Hot swaps, and failed attempts.", labels=("result",)
    )
    for result in SwapResult:
        swaps.add_metric((result,), max(each.swaps.get(result, 0) for each in snapshots))
    yield swaps
    yield CounterMetricFamily(
        "housectl_golden_check_failures",
        "Newer champions that did not repeat the predictions of their golden rows.",
        value=max(each.golden_failures for each in snapshots),
    )
    yield GaugeMetricFamily(
        "housectl_degraded",
        "1 if a worker does not serve the newest champion; /health has the reason.",
        value=max(each.degraded for each in snapshots),
    )
    lines = CounterMetricFamily(
        "housectl_log_lines", "Written and dropped lines of logs.", labels=("log", "result")
    )
    for labels, number in _sum_of(each.log_lines for each in snapshots).items():
        lines.add_metric(labels, number)
    yield lines
    if last_swap := max(each.last_swap for each in snapshots):
        yield GaugeMetricFamily(
            "housectl_last_swap_timestamp_seconds",
            "Time since which the model is served.",
            value=last_swap,
        )


def _model_metrics(models: Sequence[ModelSnapshot]) -> Iterator[Metric]:
    description = models[0].description
    yield _info("housectl_model_info", "The served model.", description)
    yield GaugeMetricFamily(
        "housectl_champion_number", "Number of the served champion.", value=description.number
    )
    out_of_range = CounterMetricFamily(
        "housectl_feature_out_of_range",
        "Values out of the range of the training data, with texts that are no levels.",
        labels=("feature",),
    )
    for label, number in _sum_of(map(out_of_range_by_label, models)).items():
        out_of_range.add_metric((label,), number)
    yield out_of_range
    has_reference = bool(description.expected)
    if has_reference:
        yield _prediction_histogram("housectl_prediction_value", models)
    else:
        yield HistogramMetricFamily("housectl_prediction_value", NO_REFERENCE, labels=())
    psi = GaugeMetricFamily(
        "housectl_feature_psi",
        "PSI of the latest rows against the training rows." if has_reference else NO_REFERENCE,
        labels=("feature",),
    )
    if has_reference:
        for label, drift in feature_drifts(models).items():
            if drift.psi is not None:
                psi.add_metric((label,), drift.psi)
    yield psi


def _info(name: str, text: str, model: ModelDescription) -> Metric:
    info = GaugeMetricFamily(name, text, labels=("digest", "family", "version"))
    info.add_metric((model.digest, model.family, model.version), 1)
    return info


def _prediction_histogram(name: str, models: Sequence[ModelSnapshot]) -> Metric:
    buckets = np.sum([model.prediction_buckets for model in models], axis=0).tolist()
    histogram = HistogramMetricFamily(name, "Predictions.", labels=())
    histogram.add_metric(
        (),
        _cumulative(models[0].description.prediction_edges, buckets),
        sum_value=sum(model.prediction_sum for model in models),
    )
    return histogram


def _sum_of(counts: Iterable[Mapping[_Key, int]]) -> dict[_Key, int]:
    total: dict[_Key, int] = defaultdict(int)
    for each in counts:
        for label, count in each.items():
            total[label] += count
    return total


def _cumulative(edges: Sequence[float], buckets: Sequence[int]) -> list[tuple[str, float]]:
    """Return the buckets as Prometheus writes them: cumulative, with their upper ends."""
    ends = [*(repr(float(edge)) for edge in edges), "+Inf"]
    return list(zip(ends, accumulate(buckets), strict=True))
