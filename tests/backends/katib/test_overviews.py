"""Overviews of experiments: Katib's counters agree with its trials, which often stay unread."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from housectl.backends.base import Overview
from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.katib_objects import TRIALS
from housectl.backends.katib.labels_and_paths import STOPPED_ANNOTATION
from housectl.backends.katib.state.overviews import counted_overview
from housectl.backends.katib.stop_marks import STOPPED_BY_USER
from housectl.experiment import ExperimentState
from housectl.kube.client import Kube
from housectl.project.fields import KatibSettings
from tests.backends.katib.long_searches import long_searches, rendered_search
from tests.backends.katib.test_snapshot import EXPERIMENT, objects_of, snapshot_at
from tools.kube_api.long_search import Objects
from tools.kube_api.running import kube_api

LONG, SHORT = 1203, 3
NOT_A_NUMBER = ("nan", "emptyvalue")


@pytest.mark.parametrize(
    "case",
    [
        *("bayes12", "random4", "goal", "quick", "steps", "exit1", "exit1_maxfailed", "oom"),
        *("deadline", "wrongname", "wrongname_maxfailed", "noimage", "badsetting", "skoptzero"),
    ],
)
def test_counters_of_katib_agree_with_its_trials(case: str) -> None:
    objects = objects_of(case)
    overview = counted_overview(EXPERIMENT, replace(objects, trials=()))
    of_trials = replace(snapshot_at(objects).overview, best_number=None)
    assert overview == of_trials


@pytest.mark.parametrize("case", NOT_A_NUMBER)
def test_optimum_that_is_no_number_gives_no_overview(case: str) -> None:
    assert counted_overview(EXPERIMENT, replace(objects_of(case), trials=())) is None


def test_stopped_search_needs_its_trials() -> None:
    objects = objects_of("bayes12", {STOPPED_ANNOTATION: STOPPED_BY_USER})
    assert counted_overview(EXPERIMENT, replace(objects, trials=())) is None


def test_search_that_has_not_ended_has_running_trials() -> None:
    objects = objects_of("bayes12")
    (ended,) = objects.sub_experiments
    status = msgspec.structs.replace(ended.status, conditions=[], trials_running=2, trials=14)
    running = replace(objects, sub_experiments=(msgspec.structs.replace(ended, status=status),))
    overview = counted_overview(EXPERIMENT, replace(running, trials=()))
    assert overview is not None
    assert (overview.state, overview.trials, overview.running) == (ExperimentState.RUNNING, 14, 2)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    search = rendered_search(tmp_path_factory.mktemp("rendered") / "boston", name="long")
    return long_searches(search, {"long": LONG, "short": SHORT})


def backend_of(
    objects: Objects, directory: Path, patch: pytest.MonkeyPatch
) -> Iterator[KatibBackend]:
    with kube_api(objects, directory) as kubeconfig:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        settings = KatibSettings(image="registry/x:1")
        yield KatibBackend(Kube(None, "kubeflow"), settings=settings, inputs=directory)


@pytest.fixture
def backend(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KatibBackend]:
    """Yield a backend whose cluster has no trials to read."""
    unreadable = {path: items for path, items in objects.items() if not path.endswith("/trials")}
    yield from backend_of(unreadable, tmp_path, monkeypatch)


@pytest.mark.slow
def test_long_searches_are_listed_without_their_trials(backend: KatibBackend) -> None:
    overviews = {handle.name: overview for handle, overview in backend.overviews()}
    assert [handle.name for handle in backend.handles()] == list(overviews)
    assert {name: each.trials for name, each in overviews.items()} == {"long": LONG, "short": SHORT}
    assert all(each.state is ExperimentState.SUCCEEDED for each in overviews.values())
    assert all(each.pruned is None for each in overviews.values())


@pytest.mark.slow
def test_long_search_without_a_failure_is_settled(backend: KatibBackend) -> None:
    settled = backend.settled(backend.handle("long"))
    assert isinstance(settled, Overview)
    assert (settled.trials, settled.failed, settled.best_number) == (LONG, 0, 0)
    assert backend.settled(backend.handle("short")) is None


@pytest.mark.slow
def test_trials_of_short_searches_are_read(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {
        path: [item for item in items if not item["metadata"]["name"].startswith("long")]
        for path, items in objects.items()
    }
    assert len(short[TRIALS.path("kubeflow")]) == SHORT
    for backend in backend_of(short, tmp_path, monkeypatch):
        ((handle, overview),) = backend.overviews()
        assert overview == backend.observe(handle).overview
        assert overview.pruned == 0
