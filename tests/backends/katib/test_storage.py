"""Access to the volume of a PVC from several nodes."""

from collections.abc import Mapping, Sequence

import pytest

from housectl.backends.katib.checks.pvc import access_mode_problem, is_node_local
from housectl.kube.objects.base import parse
from housectl.kube.objects.pvcs import Pvc

MINIKUBE = "k8s.io/minikube-hostpath"


@pytest.mark.parametrize(
    ("modes", "nodes", "problem"),
    [
        (["ReadWriteMany"], 3, None),
        (["ReadWriteOnce", "ReadWriteMany"], 3, None),
        (["ReadWriteOnce"], 1, None),
        (["ReadWriteOnce"], 3, "3 nodes are schedulable"),
        (["ReadWriteOncePod"], 1, "only one trial"),
        (["ReadOnlyMany"], 1, "no trial can write"),
    ],
)
def test_access_mode_problem(modes: Sequence[str], nodes: int, problem: str | None) -> None:
    actual = access_mode_problem(modes, nodes=nodes)
    assert (actual is None) if problem is None else (actual is not None and problem in actual)


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, False),
        ({"volume.kubernetes.io/storage-provisioner": "ebs.csi.aws.com"}, False),
        ({"volume.kubernetes.io/storage-provisioner": MINIKUBE}, True),
        ({"volume.beta.kubernetes.io/storage-provisioner": MINIKUBE}, True),
        (
            {
                "volume.kubernetes.io/storage-provisioner": MINIKUBE,
                "volume.kubernetes.io/selected-node": "minikube-m02",
            },
            False,
        ),
    ],
)
def test_minikube_host_path_is_node_local(annotations: Mapping[str, str], expected: bool) -> None:
    pvc = parse(Pvc, {"metadata": {"name": "models", "annotations": dict(annotations)}})
    assert is_node_local(pvc) is expected
