"""Deleting an experiment whose own image is what keeps it from starting."""

from pathlib import Path

from housectl.contract.inputs import Inputs
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment, submit
from tests.cluster.backend import katib_backend
from tests.cluster.pods import run_pod
from tools.dev_cluster.images import TRAINER_IMAGE

ABSENT = "127.0.0.1:1/trainer:1"
LEFT = "work/absent/left"


def test_it_goes_with_its_files(namespace: str, inputs: Inputs) -> None:  # noqa: F811
    backend = katib_backend(namespace, inputs.path.parent)
    submit(backend, experiment("present"), inputs)
    handle = backend.submit(experiment("absent"), inputs=inputs, image=ABSENT)
    on_claim(namespace, "mkdir -p", str(Path(LEFT).parent))
    on_claim(namespace, "touch", LEFT)
    backend.delete(handle)
    assert handle not in backend.handles()
    assert "absent" not in on_claim(namespace, "ls", "work")
    backend.delete(backend.handle("present"))


def on_claim(namespace: str, command: str, path: str) -> str:
    claim = {"persistentVolumeClaim": {"claimName": "model-storage"}}
    shell = ["sh", "-c", f"{command} /claim/{path}"]
    return run_pod(namespace, TRAINER_IMAGE, shell, mounts={"/claim": claim})
