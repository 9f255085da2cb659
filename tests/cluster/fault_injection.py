"""Experiments with injected faults on the cluster, and their reasons in `housectl status`."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import yaml

import housectl
from housectl.backends.base import Snapshot
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from housectl.contract.inputs import Inputs, read_inputs
from housectl.kube.client import Kube
from tools.dev_cluster.images import TRAINER_IMAGE as IMAGE
from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.project_directory import CommandOutput, ProjectDirectory, example

TIMEOUT_SECONDS = 150.0
POLL_SECONDS = 0.7
PVC = "model-storage"
# Stands for the name of an experiment in a rendered manifest.
NAME = "name-of-the-experiment"

# Dotted paths in the manifest of an Experiment.
JOB = "spec.trialTemplate.trialSpec.spec"
POD = f"{JOB}.template.spec"
TRAINER = f"{POD}.containers.0"
# Katib loses the metric of a training that ends before its collector starts, which takes long on a
# busy node.
WAIT_FOR_COLLECTOR = "sleep 15"
# A trial template must use each of its parameters.
PARAMETERS = "${trialParameters.trialName} ${trialParameters.max_features}"

Changes = Mapping[str, object]

# kubectl arguments that find the object for a name in braces.
_SELECTORS: Mapping[str, tuple[str, ...]] = {
    "trial": ("trials", "--selector=katib.kubeflow.org/experiment={name}"),
    "pod": ("pods", "--selector=batch.kubernetes.io/job-name={trial}"),
    "service": ("pods", "--selector=katib.kubeflow.org/suggestion={name}"),
    "node": ("nodes",),
}


@dataclass(frozen=True, kw_only=True)
class FaultNamespace:
    """A namespace that is set up for experiments, and the project that renders them."""

    project: ProjectDirectory
    namespace: str
    rendered: dict[tuple[str, ...], str] = field(default_factory=dict)

    @cached_property
    def opened(self) -> housectl.Project:
        """The project in this process."""
        return housectl.open(self.project.path)

    def start(self, name: str, changes: Changes | None = None, *options: str) -> None:
        """Apply the output of `housectl render` with other values at some dotted paths."""
        manifest = yaml.safe_load(self.render(options).replace(NAME, name))
        for path, value in (changes or {}).items():
            _put(manifest, path, value)
        self.kubectl("apply", "--filename=-", stdin=json.dumps(manifest))

    def render(self, options: tuple[str, ...]) -> str:
        """Return the manifest of an experiment whose name is to be replaced."""
        if options not in self.rendered:
            self.rendered[options] = self.project.run_ok("render", "--name", NAME, *options).out
        return self.rendered[options]

    def upload(self, *options: str) -> Inputs:
        """Upload the inputs of the rendered experiment to the PVC, as `housectl tune` does."""
        inputs = self.inputs(*options)
        kube = Kube(None, self.namespace)
        Volume(VolumePods(kube=kube, pvc=PVC, image=IMAGE)).upload(inputs)
        return inputs

    def inputs(self, *options: str) -> Inputs:
        """Return the inputs of the rendered experiment; they depend on the options."""
        annotations = yaml.safe_load(self.project.run_ok("render", *options).out)["metadata"]
        digest = json.loads(annotations["annotations"]["housectl/plan"])["inputs"]
        return read_inputs(self.project.path / ".housectl" / "inputs" / digest)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return kubectl(*arguments, f"--namespace={self.namespace}", stdin=stdin)

    def run(self, *arguments: str) -> CommandOutput:
        return self.project.run(*arguments)

    def status(self, name: str) -> dict[str, Any]:
        return self.project.run_ok("status", name, "--json").json

    def observe(self, name: str) -> Snapshot:
        """Return the snapshot that `housectl status` shows, without starting a process."""
        return self.opened.experiment(name).observe()

    def expect_reason(self, name: str, sentence: str) -> None:
        """Wait until `housectl status` shows exactly this reason, with names for the braces."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        snapshot = self.observe(name)
        while not (snapshot.reason and snapshot.reason == self.fill_names(name, sentence)):
            if snapshot.state.ended or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
            snapshot = self.observe(name)
        status = self.status(name)
        assert status["reason"] == self.fill_names(name, sentence), status

    def fill_names(self, name: str, sentence: str) -> str:
        """Replace {name}, {namespace}, {trial}, {pod}, {service} and {node} by names."""
        return sentence.format_map(_Names(self, name))

    def wait_until(self, name: str, condition: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait until a snapshot meets a condition, and return the snapshot."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition(snapshot := self.observe(name)):
            assert time.monotonic() < deadline, snapshot
            time.sleep(POLL_SECONDS)
        return snapshot


class _Names(dict[str, str]):
    """Names by key, looked up on first use; empty while the object does not exist."""

    def __init__(self, faults: FaultNamespace, name: str) -> None:
        super().__init__(name=name, namespace=faults.namespace)
        self._faults = faults

    def __missing__(self, key: str) -> str:
        arguments = [argument.format_map(self) for argument in _SELECTORS[key]]
        output = self._faults.kubectl("get", *arguments, "--output=name")
        self[key] = output.partition("\n")[0].rpartition("/")[2]
        return self[key]


@contextmanager
def new_fault_namespace(directory: Path) -> Iterator[FaultNamespace]:
    """Set up a namespace as users do, and delete it with all of its objects at the end."""
    namespace = f"faults-{secrets.token_hex(3)}"
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
        yield FaultNamespace(project=project, namespace=namespace)
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false")
        kubectl("delete", "clusterrolebinding", f"housectl-reader-{namespace}")


class Fault(Protocol):
    """Changes of an Experiment before it is applied."""

    @property
    def changes(self) -> Changes:
        """New values by dotted path."""

    @property
    def options(self) -> Sequence[str]:
        """Options of `housectl render`."""


def start_all(namespace: FaultNamespace, faults: Mapping[str, Fault]) -> None:
    """Start an experiment for each fault, under the name of the fault."""
    for options in {tuple(fault.options) for fault in faults.values()}:
        namespace.render(options)
    with ThreadPoolExecutor(4) as pool:
        futures = [
            pool.submit(namespace.start, name, fault.changes, *fault.options)
            for name, fault in faults.items()
        ]
    for future in futures:
        future.result()


def shell_training(script: str) -> Changes:
    """Return the changes that replace the trainer by a shell script.

    The parentheses write the output of the script through one pipe.
    """
    return {f"{TRAINER}.command": ["sh", "-c", f"(echo {PARAMETERS}; {script})"]}


def _put(manifest: dict[str, Any], path: str, value: object) -> None:
    """Set the value at a dotted path; numbers are list indices, and None deletes."""
    parent: Any = manifest
    *parents, last = (int(key) if key.isdecimal() else key for key in path.split("."))
    for key in parents:
        parent = parent[key]
    if value is None:
        del parent[last]
    elif last == len(parent):
        parent.append(value)
    else:
        parent[last] = value
