"""The number of parallel trials of a resumed search."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from housectl.backends.katib.katib_objects import Suggestion
from housectl.backends.katib.lifecycle.widen import widen
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.kube.client import Kube
from housectl.kube.objects.base import parse
from tests.backends.katib.api_server import ApiServer, serving
from tests.backends.katib.test_numbered_trials import EXPERIMENT, objects_of, sub_experiment

PATH = "/apis/kubeflow.org/v1beta1/namespaces/houses/experiments/both-2"


def resumed(*, width: int, suggestions: int, stopped: bool = False) -> ExperimentObjects:
    """Return a search that started with `width` parallel trials after a stop."""
    second = sub_experiment(2, stopped=stopped)
    spec = msgspec.structs.replace(second.spec, max_trial_count=6, parallel_trial_count=width)
    second = msgspec.structs.replace(second, spec=spec)
    manifest = {"metadata": {"name": "both-2"}, "status": {"suggestionCount": suggestions}}
    objects = objects_of(experiments=(sub_experiment(stopped=True), second))
    return replace(objects, suggestions=(parse(Suggestion, manifest),))


@pytest.mark.parametrize(
    ("objects", "done", "spec"),
    [
        (resumed(width=1, suggestions=0), False, {}),
        (resumed(width=1, suggestions=1), True, {"parallelTrialCount": 2}),
        (resumed(width=2, suggestions=0), True, {}),
        (resumed(width=1, suggestions=0, stopped=True), True, {}),
    ],
    ids=["waiting", "answered", "full", "stopped"],
)
def test_search_becomes_as_wide_as_planned_after_its_first_request(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    objects: ExperimentObjects,
    *,
    done: bool,
    spec: Mapping[str, Any],
) -> None:
    server = ApiServer({PATH: {"spec": {}}})
    with serving(server, tmp_path) as config:
        monkeypatch.setenv("KUBECONFIG", config)
        assert widen(Kube("here", "houses"), EXPERIMENT, objects) is done
    assert server.objects[PATH]["spec"] == spec
