"""Experiments that are made to fail on the cluster, and what `housectl status` says of them."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from housectl.contract.inputs import Inputs, read_inputs
from housectl.kube.client import Kube
from tools.dev_cluster.images import TRAINER_IMAGE as IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import CommandOutput, ProjectDirectory, example

PATIENCE_SECONDS = 150.0
CLAIM = "model-storage"
ENDED = {"succeeded", "failed", "stopped", "interrupted"}

# Where a fault is put into the YAML of an Experiment.
JOB = "spec.trialTemplate.trialSpec.spec"
POD = f"{JOB}.template.spec"
TRAINER = f"{POD}.containers.0"
# A training that is over before Katib's collector looks, late on a busy node, loses its metric.
WHILE_COLLECTOR_LOOKS = "sleep 15"
# A template has to use each of its parameters.
VALUES = "${trialParameters.trialName} ${trialParameters.max_features}"

Changes = Mapping[str, object]

# How a name that a sentence has in braces is found.
_FIND: Mapping[str, tuple[str, ...]] = {
    "trial": ("trials", "--selector=katib.kubeflow.org/experiment={name}"),
    "pod": ("pods", "--selector=batch.kubernetes.io/job-name={trial}"),
    "service": ("pods", "--selector=katib.kubeflow.org/suggestion={name}"),
    "node": ("nodes",),
}


@dataclass(frozen=True, kw_only=True)
class Drills:
    """A namespace that was prepared for experiments, and the project that they are rendered of."""

    project: ProjectDirectory
    namespace: str

    def start(self, name: str, changes: Changes | None = None, *options: str) -> None:
        """Apply what `housectl render` prints, with other values at some dotted paths."""
        text = self.project.run_ok("render", "--name", name, *options).out
        manifest = yaml.safe_load(text)
        for path, value in (changes or {}).items():
            _put(manifest, path, value)
        self.kubectl("apply", "--filename=-", given=json.dumps(manifest))

    def upload(self, *options: str) -> Inputs:
        """Bring the inputs of what is rendered to the claim, as `housectl tune` does."""
        inputs = self.inputs(*options)
        kube = Kube(None, self.namespace)
        Volume(VolumePods(kube=kube, pvc=CLAIM, image=IMAGE)).upload(inputs)
        return inputs

    def inputs(self, *options: str) -> Inputs:
        """Return the inputs of what is rendered; there are several after other options."""
        annotations = yaml.safe_load(self.project.run_ok("render", *options).out)["metadata"]
        digest = json.loads(annotations["annotations"]["housectl/plan"])["inputs"]
        return read_inputs(self.project.path / ".housectl" / "inputs" / digest)

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        return kubectl(*arguments, f"--namespace={self.namespace}", stdin=given)

    def run(self, *arguments: str) -> CommandOutput:
        return self.project.run(*arguments)

    def status(self, name: str) -> dict[str, Any]:
        return self.project.run_ok("status", name, "--json").json

    def expect(self, name: str, sentence: str) -> None:
        """Wait until `housectl status` gives this very reason, with the names in braces."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        status = self.status(name)
        while status["reason"] != (expected := self.named(name, sentence)):
            if status["state"] in ENDED or time.monotonic() > deadline:
                assert status["reason"] == expected, status
            time.sleep(0.5)
            status = self.status(name)

    def named(self, name: str, sentence: str) -> str:
        """Fill in names: {name}, {namespace}, {trial}, {pod}, {service}, {node}."""
        return sentence.format_map(_Names(self, name))

    def when(self, name: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a status is as it should be, and return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(status := self.status(name)):
            assert time.monotonic() < deadline, status
            time.sleep(0.5)
        return status


class _Names(dict[str, str]):
    """Names, each looked up when it is asked for; empty while there is none."""

    def __init__(self, drills: Drills, name: str) -> None:
        super().__init__(name=name, namespace=drills.namespace)
        self._drills = drills

    def __missing__(self, key: str) -> str:
        arguments = [part.format_map(self) for part in _FIND[key]]
        listed = self._drills.kubectl("get", *arguments, "--output=name")
        self[key] = listed.partition("\n")[0].rpartition("/")[2]
        return self[key]


@contextmanager
def drilling(directory: Path) -> Iterator[Drills]:
    """Prepare a namespace as users do, and delete it at the end with all that is in it."""
    namespace = f"drills-{secrets.token_hex(3)}"
    project = example(
        ".",
        directory / "boston",
        backend="katib",
        space={"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 10},
        budget={"trials": 1},
        workers=1,
        katib={
            "namespace": namespace,
            "algorithm": "random",
            "image": IMAGE,
            "cpu": "10m",
            "memory": "32Mi",
        },
    )
    project.run_ok("cluster", "init", **kubectl_environment())
    try:
        yield Drills(project=project, namespace=namespace)
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")
        kubectl("delete", "clusterrolebinding", f"housectl-reader-{namespace}")


class Fault(Protocol):
    """What is changed in an Experiment before it is applied."""

    @property
    def changes(self) -> Changes:
        """Other values at dotted paths."""

    @property
    def options(self) -> Sequence[str]:
        """What `housectl render` is told."""


def begin_all(drills: Drills, faults: Mapping[str, Fault]) -> None:
    """Start an experiment with each fault, called after it."""
    with ThreadPoolExecutor(4) as pool:
        starts = [
            pool.submit(drills.start, name, fault.changes, *fault.options)
            for name, fault in faults.items()
        ]
    for start in starts:
        start.result()


def training(script: str) -> Changes:
    """Return what replaces the trainer by a shell, whose parentheses keep its output together."""
    return {f"{TRAINER}.command": ["sh", "-c", f"(echo {VALUES}; {script})"]}


def _put(manifest: dict[str, Any], path: str, value: object) -> None:
    """Set what is at a dotted path; numbers are places in lists, None removes."""
    here: Any = manifest
    *parents, last = (int(key) if key.isdecimal() else key for key in path.split("."))
    for key in parents:
        here = here[key]
    if value is None:
        del here[last]
    elif last == len(here):
        here.append(value)
    else:
        here[last] = value
