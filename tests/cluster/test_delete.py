"""Deletion of an experiment whose image cannot be pulled, and of files without objects."""

from pathlib import Path

from housectl.contract.inputs import Inputs
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment, submit
from tests.cluster.backend import SMALL_PODS, katib_backend
from tests.cluster.listing import listed_states
from tests.cluster.pods import run_pod
from tests.cluster.test_doctor import checks_by_name
from tools.dev_cluster.images import TRAINER_IMAGE
from tools.project_directory import example

MISSING_IMAGE = "127.0.0.1:1/trainer:1"
LEFTOVER = "work/absent/leftover"
DELETED = "work/deleted-long-ago/output"


def test_delete_removes_objects_and_files(namespace: str, inputs: Inputs) -> None:  # noqa: F811
    backend = katib_backend(namespace, inputs.path.parent)
    submit(backend, experiment("present"), inputs)
    handle = backend.submit(experiment("absent"), inputs=inputs, image=MISSING_IMAGE)
    run_on_pvc(namespace, "mkdir -p", str(Path(LEFTOVER).parent))
    run_on_pvc(namespace, "touch", LEFTOVER)
    backend.delete(handle)
    assert handle not in backend.handles()
    assert "absent" not in run_on_pvc(namespace, "ls", "work")
    backend.delete(backend.handle("present"))


def test_files_of_deleted_experiments_are_found_listed_and_deleted(
    namespace: str, tmp_path: Path
) -> None:
    katib = {**SMALL_PODS, "namespace": namespace}
    project = example(".", tmp_path / "boston", backend="katib", katib=katib, workers=1)
    run_on_pvc(namespace, "mkdir -p", DELETED)
    leftovers = checks_by_name(project.run("doctor", "--json"))["leftovers"]
    assert leftovers["result"] == "warning"
    assert "deleted-long-ago" in leftovers["found"]
    assert leftovers["hint"].startswith("housectl delete ")
    assert listed_states(project)["deleted-long-ago"] == "deleted"
    project.run_ok("delete", "deleted-long-ago")
    assert "deleted-long-ago" not in listed_states(project)
    assert "deleted-long-ago" not in run_on_pvc(namespace, "ls", "work")


def run_on_pvc(namespace: str, command: str, path: str) -> str:
    pvc = {"persistentVolumeClaim": {"claimName": "model-storage"}}
    shell = ["sh", "-c", f"{command} /pvc/{path}"]
    return run_pod(namespace, TRAINER_IMAGE, shell, mounts={"/pvc": pvc})
