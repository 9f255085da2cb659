"""The command drift: the features of a running server against the training data."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from housectl.cli.decorators import pass_project
from housectl.cli.results import Report, Row

if TYPE_CHECKING:
    from housectl import DriftReport, FeatureDrift, Project

_BARS = "▁▂▃▄▅▆▇█"


@pass_project("url", "request-timeout", "max-answer", "host", "port")
def drift(project: "Project", /) -> Report:
    """Compare the latest rows of a running server with the training rows.

    The PSI of a feature is a distance between both distributions: below 0.1 there is no drift,
    and above 0.25 it is large.

    Example: housectl drift --url http://127.0.0.1:8005
    """
    report = project.drift()
    tables = [[_row(each) for each in report.by_psi]] if report.features else []
    return Report(
        fields=_fields(report),
        lines={"version": (report.model_digest or "")[:12], "rows": report.rows},
        tables=tables,
        notes=[report.reason] if report.reason else [],
    )


def _fields(report: "DriftReport") -> Row:
    return {
        "model_digest": report.model_digest,
        "rows": report.rows,
        "reason": report.reason,
        "features": [
            {
                "feature": each.feature,
                "psi": each.psi,
                "drift": each.level,
                "bins": each.bins,
                "training": each.training,
                "latest": each.latest,
            }
            for each in report.by_psi
        ],
    }


def _row(feature: "FeatureDrift") -> Row:
    training, latest = _shares(feature.training), _shares(feature.latest)
    largest = max(*training, *latest, 0.0)
    return {
        "feature": feature.feature,
        "psi": "" if feature.psi is None else f"{feature.psi:.3f}",
        "drift": feature.level,
        "training": _histogram(training, largest),
        "latest": _histogram(latest, largest),
    }


def _shares(counts: Sequence[int]) -> Sequence[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def _histogram(shares: Sequence[float], largest: float) -> str:
    """Return one bar for each bin; an empty bin has a dot."""
    top = len(_BARS) - 1
    return "".join(_BARS[round(share / largest * top)] if share else "·" for share in shares)
