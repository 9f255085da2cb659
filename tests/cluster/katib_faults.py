"""Breaking Katib for a moment, whichever one the cluster has."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tools.dev_cluster.kubectl import kubectl, kubectl_environment

_KATIB = "--namespace=kubeflow"
_CONTROLLER = "katib-controller"
_CONFIG = "configmap/katib-config"
_SETTINGS = "katib-config.yaml"
_FAULTS = "katib-standin-faults"
_DRY = ("--dry-run=server", "--output=name")
_PATIENCE_SECONDS = 180.0


@contextmanager
def without_webhooks(namespace: str) -> Iterator[None]:
    """Stop Katib's webhooks, as a namespace with Katib's label sees them."""
    _stop()
    try:
        _wait(namespace, answering=False)
        yield
    finally:
        _start()
        _wait(namespace, answering=True)


def needs_parts() -> None:
    """Skip where webhooks and controller are one program: without it, nothing is taken at all."""
    if _has_controller():
        pytest.skip("This needs a stand-in for Katib, which can fail in parts.")


@contextmanager
def without_controller(namespace: str) -> Iterator[None]:
    """Stop the controller of a stand-in for Katib, but not its webhooks."""
    needs_parts()
    with without_webhooks(namespace):
        # That the webhooks have come back says that the stand-in has read its faults.
        _set_faults(controller="stopped")
        _wait(namespace, answering=True)
        yield


@contextmanager
def without_image(algorithm: str, image: str) -> Iterator[None]:
    """Let the service of one algorithm have an image that cannot be pulled."""
    with _changed_image("suggestions", "algorithmName", algorithm, image):
        yield


@contextmanager
def without_collector(image: str) -> Iterator[None]:
    """Let the metrics collector be another image, which does not collect."""
    with _changed_image("metricsCollectors", "kind", "StdOut", image):
        yield


@contextmanager
def _changed_image(group: str, key: str, value: str, image: str) -> Iterator[None]:
    before = json.loads(kubectl("get", _KATIB, _CONFIG, "--output=json"))["data"]
    settings = yaml.safe_load(before[_SETTINGS])
    for each in settings["runtime"][group]:
        if each[key] == value:
            each["image"] = image
    _configure({_SETTINGS: yaml.safe_dump(settings)})
    try:
        yield
    finally:
        _configure(before)


def _configure(data: object) -> None:
    kubectl("patch", _KATIB, _CONFIG, "--type=merge", f"--patch={json.dumps({'data': data})}")


def _stop() -> None:
    if _has_controller():
        kubectl("scale", _KATIB, f"deployment/{_CONTROLLER}", "--replicas=0")
    else:
        _set_faults(webhook="down")


def _start() -> None:
    if _has_controller():
        kubectl("scale", _KATIB, f"deployment/{_CONTROLLER}", "--replicas=1")
    else:
        kubectl("delete", "configmap", _KATIB, _FAULTS)


def _set_faults(**faults: str) -> None:
    metadata = {"name": _FAULTS, "namespace": "kubeflow"}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": faults}
    kubectl("apply", "--filename=-", stdin=json.dumps(manifest))


def _has_controller() -> bool:
    """Return whether Katib's controller is a Deployment; a stand-in's is not on the cluster."""
    found = kubectl("get", "deployment", _KATIB, _CONTROLLER, "--ignore-not-found", "--output=name")
    return bool(found)


def _wait(namespace: str, *, answering: bool) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _answering(namespace) is not answering:
        assert time.monotonic() < deadline, f"Katib's webhooks, answering: {not answering}"
        time.sleep(0.2)


def _answering(namespace: str) -> bool:
    """Return whether the cluster takes a pod, which Katib's webhook is asked about."""
    asked = subprocess.run(
        ["kubectl", "run", "probe", f"--namespace={namespace}", "--image=probe:1", *_DRY],
        env=os.environ | kubectl_environment(),
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0
