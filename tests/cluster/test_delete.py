"""Deletion of an experiment whose image cannot be pulled."""

from pathlib import Path

from housectl.contract.inputs import Inputs
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment, submit
from tests.cluster.backend import katib_backend
from tests.cluster.pods import run_pod
from tools.dev_cluster.images import TRAINER_IMAGE

MISSING_IMAGE = "127.0.0.1:1/trainer:1"
LEFTOVER = "work/absent/leftover"


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


def run_on_pvc(namespace: str, command: str, path: str) -> str:
    pvc = {"persistentVolumeClaim": {"claimName": "model-storage"}}
    shell = ["sh", "-c", f"{command} /pvc/{path}"]
    return run_pod(namespace, TRAINER_IMAGE, shell, mounts={"/pvc": pvc})
