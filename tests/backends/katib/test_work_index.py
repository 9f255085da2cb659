"""The index of the PVC, and names of which only files are left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.volume.work_index import WorkIndex
from housectl.errors import UnknownExperimentError
from housectl.experiment import ExperimentState
from housectl.kube.client import Kube
from housectl.project.fields import KatibSettings
from tests.backends.katib.api_server import ApiServer, Objects, serving

NAMESPACE = "/api/v1/namespaces/houses"
CLAIM = f"{NAMESPACE}/persistentvolumeclaims/model-storage"
EXPERIMENTS = "/apis/kubeflow.org/v1beta1/namespaces/houses/experiments"
TRIALS = "/apis/kubeflow.org/v1beta1/namespaces/houses/trials"
PODS = f"{NAMESPACE}/pods"
JOBS = "/apis/batch/v1/namespaces/houses/jobs"


def labelled(
    name: str, created: str, *, instance: str = "", **metadata: object
) -> dict[str, object]:
    labels = {
        "app.kubernetes.io/instance": instance or name,
        "app.kubernetes.io/managed-by": "housectl",
    }
    return {"metadata": {"name": name, "creationTimestamp": created, "labels": labels, **metadata}}


@pytest.fixture
def objects() -> Objects:
    return {
        CLAIM: {"metadata": {"name": "model-storage", "annotations": {"other/key": "kept"}}},
        EXPERIMENTS: {"items": []},
        TRIALS: {"items": []},
        JOBS: {"items": []},
        PODS: {"items": []},
    }


@pytest.fixture
def kube(objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kube]:
    with serving(ApiServer(objects), tmp_path) as config:
        monkeypatch.setenv("KUBECONFIG", config)
        yield Kube(None, "houses")


@pytest.fixture
def index(kube: Kube) -> WorkIndex:
    return WorkIndex(kube=kube, pvc="model-storage")


@pytest.fixture
def backend(kube: Kube, tmp_path: Path) -> KatibBackend:
    settings = KatibSettings(namespace="houses", image="trainer:1")
    return KatibBackend(kube, settings=settings, inputs=tmp_path)


def test_names_are_added_once_and_removed(index: WorkIndex, objects: Objects) -> None:
    index.add(["one", "t" * 63])
    times = index.names()
    assert times.keys() == {"one", "t" * 63}
    index.add(["one", "two"])
    assert index.names()["one"] == times["one"]
    for name in ("one", "one", "never-added", "t" * 63):
        index.remove(name)
    assert index.names().keys() == {"two"}
    metadata = objects[CLAIM]["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["annotations"].keys() == {"other/key", "work.housectl/two"}


def test_missing_pvc_has_no_names(kube: Kube) -> None:
    assert WorkIndex(kube=kube, pvc="absent").names() == {}


def test_name_with_files_only_is_listed_as_deleted(
    backend: KatibBackend, index: WorkIndex, objects: Objects
) -> None:
    index.add(["files-only", "complete", "sealing"])
    complete, older = labelled("complete", "2999-01-01T00:00:00Z"), "2000-01-01T00:00:00Z"
    objects[EXPERIMENTS]["items"] = [complete, labelled("older", older)]
    objects[JOBS]["items"] = [labelled("sealing", older)]
    handles = backend.handles()
    assert [handle.name for handle in handles] == ["complete", "older", "files-only"]


def test_name_with_files_only_can_only_be_deleted(backend: KatibBackend, index: WorkIndex) -> None:
    index.add(["files-only"])
    handle = backend.handle("files-only")
    snapshot = backend.observe(handle)
    assert snapshot.state is ExperimentState.DELETED
    assert snapshot.reason == "Its deletion is not complete. Hint: housectl delete files-only"
    assert snapshot.started is not None
    for use in (backend.get_plan, backend.stop, backend.resume):
        with pytest.raises(UnknownExperimentError, match="not completely") as caught:
            use(handle)
        assert caught.value.hint == "housectl delete files-only"
    index.remove("files-only")
    with pytest.raises(UnknownExperimentError, match="does not exist"):
        backend.handle("files-only")
    with pytest.raises(UnknownExperimentError, match="does not exist"):
        backend.observe(handle)
    backend.delete(handle)


def test_experiment_that_katib_has_not_deleted_yet_is_listed_as_deleted(
    backend: KatibBackend, objects: Objects
) -> None:
    deleted = labelled("hanging", "2000-01-01T00:00:00Z", deletionTimestamp="2000-01-02T00:00:00Z")
    objects[EXPERIMENTS]["items"] = [deleted]
    (handle,) = backend.handles()
    assert backend.observe(handle).state is ExperimentState.DELETED


def test_experiment_is_deleted_without_the_pvc(backend: KatibBackend, objects: Objects) -> None:
    del objects[CLAIM]
    for path, name in ((EXPERIMENTS, "lost"), (TRIALS, "lost-abc"), (JOBS, "lost-abc")):
        objects[path]["items"] = [labelled(name, "2000-01-01T00:00:00Z", instance="lost")]
    (handle,) = backend.handles()
    backend.delete(handle)
    assert [objects[path]["items"] for path in (EXPERIMENTS, TRIALS, JOBS)] == [[], [], []]
    assert backend.handles() == []
