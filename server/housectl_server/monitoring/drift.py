"""Drift of features: the latest rows against the training rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from housectl.contract.psi import stability_index
from housectl_server.monitoring.sliding_window import count_latest
from housectl_server.monitoring.snapshot import ModelSnapshot


@dataclass(frozen=True)
class FeatureDrift:
    """Distributions of one feature over the bins of its reference; the last has missing values.

    Attributes:
        expected: Counts of the training rows.
        observed: Counts of the latest rows.
        psi: Population stability index; None if there are too few rows.
    """

    expected: Sequence[int]
    observed: Sequence[int]
    psi: float | None


def feature_drifts(models: Sequence[ModelSnapshot]) -> dict[str, FeatureDrift]:
    """Return the drift of each feature that has a series, by label.

    Args:
        models: Counts of one model by several workers, at least one.
    """
    description = models[0].description
    sizes = [len(expected) for expected in description.expected]
    counts = count_latest((model.window for model in models), bins=sum(sizes)).tolist()
    drifts: dict[str, FeatureDrift] = {}
    for label, expected in zip(description.labels, description.expected, strict=False):
        observed, counts = counts[: len(expected)], counts[len(expected) :]
        drifts[label] = FeatureDrift(expected, observed, stability_index(expected, observed))
    return drifts
