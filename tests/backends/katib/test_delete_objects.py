"""Deletion of a search's objects, against an API server in a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.backends.katib.katib_objects import EXPERIMENTS, TRIALS
from housectl.backends.katib.lifecycle.delete import delete_writers, wait_until_gone
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS, PODS, Kind
from housectl.kube.objects.base import NamedObject
from tests.backends.katib.long_searches import long_searches, rendered_search
from tools.kube_api.running import kube_api

pytestmark = pytest.mark.slow


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kube]:
    search = rendered_search(tmp_path / "boston", name="doomed")
    objects = long_searches(search, {"doomed": 12, "doomed-too": 3})
    # Kubernetes' garbage collector deletes the pods of jobs.
    objects[PODS.path("kubeflow")].clear()
    (tmp_path / "api").mkdir()
    with kube_api(objects, tmp_path / "api") as kubeconfig:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        yield Kube(None, "kubeflow")


def test_deletion_spares_other_searches(kube: Kube) -> None:
    delete_writers(kube, "doomed")
    wait_until_gone(kube, "doomed")
    trials = [f"doomed-too-000{number}" for number in range(3)]
    assert names(kube, EXPERIMENTS) == ["doomed-too"]
    assert names(kube, TRIALS) == names(kube, JOBS) == trials


def test_empty_selector_is_refused(kube: Kube) -> None:
    with pytest.raises(ValueError, match="all objects"):
        kube.delete_selected(JOBS, labels="")
    assert len(names(kube, JOBS)) == 15


def names(kube: Kube, kind: Kind) -> list[str]:
    return [item.metadata.name for item in kube.list_as(kind, NamedObject)]
