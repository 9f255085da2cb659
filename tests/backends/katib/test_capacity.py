"""Capacity of the nodes for trials."""

from collections.abc import Mapping, Sequence

import pytest

from housectl.backends.katib.checks.capacity import (
    PodResources,
    free_resources,
    node_capacity,
    parallel_trials,
)
from housectl.backends.katib.checks.cluster import Node
from housectl.kube.objects.base import parse
from housectl.kube.objects.pods import Pod

READY = [{"type": "Ready", "status": "True"}]
TRIAL = PodResources.of({"cpu": "500m", "memory": "512Mi"}, pods=1)


def node(name: str, cpu: str, memory: str, *, pods: str = "110") -> Node:
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    return parse(
        Node,
        {"metadata": {"name": name}, "status": {"allocatable": allocatable, "conditions": READY}},
    )


def pod(
    node_name: str,
    *requests: Mapping[str, str],
    init: Sequence[Mapping[str, str]] = (),
    phase: str = "Running",
) -> Pod:
    spec = {
        "nodeName": node_name,
        "containers": [{"name": "a", "resources": {"requests": dict(each)}} for each in requests],
        "initContainers": [{"name": "b", "resources": {"requests": dict(each)}} for each in init],
    }
    return parse(Pod, {"metadata": {"name": "pod"}, "spec": spec, "status": {"phase": phase}})


@pytest.mark.parametrize(
    ("cpu", "memory", "pods", "expected"),
    [("2", "8Gi", "110", 4), ("2", "1Gi", "110", 2), ("2", "8Gi", "3", 3), ("400m", "8Gi", "9", 0)],
)
def test_scarcest_resource_limits_trials(cpu: str, memory: str, pods: str, expected: int) -> None:
    assert node_capacity(node("one", cpu, memory, pods=pods)) // TRIAL == expected


def test_free_resources_without_active_pods_of_node() -> None:
    nodes = [node("one", "2", "8Gi"), node("two", "2", "8Gi")]
    pods = [
        pod("one", {"cpu": "1"}, {"cpu": "250m", "memory": "1Gi"}),
        pod("two", {"cpu": "100m"}, init=[{"cpu": "1", "memory": "10Mi"}]),
        pod("two", {"cpu": "1"}, phase="Succeeded"),
        pod("", {"cpu": "1"}),
    ]
    assert free_resources(nodes, pods) == [
        PodResources.of({"cpu": "750m", "memory": "7Gi"}, pods=109),
        PodResources.of({"cpu": "1", "memory": "8182Mi"}, pods=109),
    ]


def test_trial_must_fit_on_one_node() -> None:
    halves = [PodResources.of({"cpu": "400m", "memory": "8Gi"}, pods=110)] * 2
    assert parallel_trials(halves, trial=TRIAL, suggestions=1) == 0


def test_suggestions_take_node_with_most_free_cores() -> None:
    free = [
        PodResources.of({"cpu": "500m", "memory": "8Gi"}, pods=110),
        PodResources.of({"cpu": "1100m", "memory": "8Gi"}, pods=110),
    ]
    assert parallel_trials(free, trial=TRIAL, suggestions=2) == 3
    assert parallel_trials(free, trial=TRIAL, suggestions=3) == 2


def test_overcommitted_node_has_no_capacity() -> None:
    full = free_resources([node("one", "1", "1Gi")], [pod("one", {"cpu": "4", "memory": "4Gi"})])
    assert parallel_trials(full, trial=TRIAL, suggestions=1) == 0


@pytest.mark.parametrize(
    ("spec", "conditions", "expected"),
    [
        ({}, READY, True),
        ({"unschedulable": True}, READY, False),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, READY, False),
        ({"taints": [{"key": "a", "effect": "PreferNoSchedule"}]}, READY, True),
        ({}, [{"type": "Ready", "status": "Unknown"}], False),
    ],
)
def test_schedulable_nodes(
    spec: Mapping[str, object], conditions: Sequence[Mapping[str, str]], expected: bool
) -> None:
    manifest = {
        "metadata": {"name": "one"},
        "spec": dict(spec),
        "status": {"conditions": list(conditions)},
    }
    assert parse(Node, manifest).is_schedulable is expected
