"""Temporary faults of Katib, for a real installation and for a stand-in."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from tools.dev_cluster.kubectl import kubectl, kubectl_environment
from tools.dev_cluster.setup import TEST_BED

_KATIB = "--namespace=kubeflow"
_CONTROLLER = "deployment/katib-controller"
_LABEL = "katib.kubeflow.org/metrics-collector-injection"
_CONFIG = "configmap/katib-config"
_SETTINGS = "katib-config.yaml"
_FAULTS = "katib-standin-faults"
_DRY_RUN = ("--dry-run=server", "--output=name")
_TIMEOUT_SECONDS = 180.0


@contextmanager
def webhooks_stopped(namespace: str) -> Iterator[None]:
    """Stop Katib's webhooks until a namespace with Katib's label notices it."""
    _stop_webhooks()
    try:
        wait_for_webhooks(namespace, available=False)
        yield
    finally:
        _start_webhooks()
        wait_for_webhooks(namespace, available=True)


def wait_for_webhooks(namespace: str, *, available: bool) -> None:
    """Wait until a namespace with Katib's label notices that the webhooks start or stop."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while _webhooks_available(namespace) is not available:
        assert time.monotonic() < deadline, f"Katib's webhooks are available: {not available}"
        time.sleep(0.5)


@contextmanager
def katib_parts() -> Iterator[None]:
    """Give a stand-in for Katib components that can fail; a real Katib has them anyway."""
    parts = TEST_BED / "katib" / "parts"
    if _has_controller():
        yield
        return
    if not parts.exists():
        pytest.skip("This needs a Katib whose controller is a Deployment.")
    subprocess.run([parts, "on"], stdout=subprocess.DEVNULL, check=True)
    try:
        yield
    finally:
        subprocess.run([parts, "off"], stdout=subprocess.DEVNULL, check=True)


@contextmanager
def database_stopped() -> Iterator[None]:
    """Stop the manager of Katib's database."""
    manager = "deployment/katib-db-manager"
    kubectl("scale", _KATIB, manager, "--replicas=0")
    pods = "--selector=katib.kubeflow.org/component=db-manager"
    kubectl("wait", _KATIB, "pod", pods, "--for=delete", "--timeout=60s")
    try:
        yield
    finally:
        kubectl("scale", _KATIB, manager, "--replicas=1")
        kubectl("rollout", "status", _KATIB, manager, "--timeout=120s")


@contextmanager
def label_removed(namespace: str) -> Iterator[None]:
    """Remove Katib's label from a namespace."""
    kubectl("label", "namespace", namespace, f"{_LABEL}-")
    try:
        yield
    finally:
        kubectl("label", "namespace", namespace, f"{_LABEL}=enabled", "--overwrite")


@contextmanager
def collector_missing() -> Iterator[None]:
    """Let a stand-in for Katib create the pods of trials without a metrics collector."""
    require_stand_in()
    _set_faults(sidecar="missing")
    # The stand-in reads its faults every half second.
    time.sleep(2)
    try:
        yield
    finally:
        kubectl("delete", "configmap", _KATIB, _FAULTS)


def require_stand_in() -> None:
    """Skip if one program serves both webhooks and controller, so that they fail together."""
    if _has_controller():
        pytest.skip("This needs a stand-in for Katib, whose components fail independently.")


@contextmanager
def controller_stopped(namespace: str) -> Iterator[None]:
    """Stop the controller of a stand-in for Katib, but not its webhooks."""
    require_stand_in()
    with webhooks_stopped(namespace):
        # The stand-in has read its faults once its webhooks are available again.
        _set_faults(controller="stopped")
        wait_for_webhooks(namespace, available=True)
        yield


@contextmanager
def algorithm_image_replaced(algorithm: str, image: str) -> Iterator[None]:
    """Replace the image of one algorithm's service."""
    with _image_replaced("suggestions", "algorithmName", algorithm, image):
        yield


@contextmanager
def collector_image_replaced(image: str) -> Iterator[None]:
    """Replace the image of the metrics collector."""
    with _image_replaced("metricsCollectors", "kind", "StdOut", image):
        yield


@contextmanager
def _image_replaced(group: str, key: str, value: str, image: str) -> Iterator[None]:
    before = json.loads(kubectl("get", _KATIB, _CONFIG, "--output=json"))["data"]
    settings = yaml.safe_load(before[_SETTINGS])
    for entry in settings["runtime"][group]:
        if entry[key] == value:
            entry["image"] = image
    _write_config({_SETTINGS: yaml.safe_dump(settings)})
    try:
        yield
    finally:
        _write_config(before)


def _write_config(data: object) -> None:
    kubectl("patch", _KATIB, _CONFIG, "--type=merge", f"--patch={json.dumps({'data': data})}")


def _stop_webhooks() -> None:
    if _has_controller():
        kubectl("scale", _KATIB, _CONTROLLER, "--replicas=0")
    else:
        _set_faults(webhook="down")


def _start_webhooks() -> None:
    if _has_controller():
        _start_controller()
    else:
        kubectl("delete", "configmap", _KATIB, _FAULTS)


def _start_controller() -> None:
    """Start Katib's controller in a namespace whose pods its own webhook must accept."""
    labelled = "enabled" in kubectl("get", "namespace", "kubeflow", f"--label-columns={_LABEL}")
    kubectl("label", "namespace", "kubeflow", f"{_LABEL}-")
    kubectl("scale", _KATIB, _CONTROLLER, "--replicas=1")
    kubectl("rollout", "restart", _KATIB, _CONTROLLER)
    kubectl("rollout", "status", _KATIB, _CONTROLLER, "--timeout=120s")
    if labelled:
        kubectl("label", "namespace", "kubeflow", f"{_LABEL}=enabled")


def _set_faults(**faults: str) -> None:
    metadata = {"name": _FAULTS, "namespace": "kubeflow"}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": faults}
    kubectl("apply", "--filename=-", stdin=json.dumps(manifest))


def _has_controller() -> bool:
    """Return True if Katib's controller is a Deployment; a stand-in runs outside the cluster."""
    return bool(kubectl("get", _KATIB, _CONTROLLER, "--ignore-not-found", "--output=name"))


def _webhooks_available(namespace: str) -> bool:
    """Return True if the cluster accepts a pod that Katib's webhook must admit."""
    process = subprocess.run(
        ["kubectl", "run", "probe", f"--namespace={namespace}", "--image=probe:1", *_DRY_RUN],
        env=os.environ | kubectl_environment(),
        capture_output=True,
        check=False,
    )
    return process.returncode == 0
