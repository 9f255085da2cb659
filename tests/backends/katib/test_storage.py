"""From where trials reach a claim's volume."""

from collections.abc import Mapping, Sequence

import pytest

from housectl.backends.katib.checks.storage import access_mode_problem, is_node_local
from housectl.kube.objects.base import parse
from housectl.kube.objects.pvcs import Pvc

MINIKUBE = "k8s.io/minikube-hostpath"


@pytest.mark.parametrize(
    ("modes", "nodes", "problem"),
    [
        (["ReadWriteMany"], 3, None),
        (["ReadWriteOnce", "ReadWriteMany"], 3, None),
        (["ReadWriteOnce"], 1, None),
        (["ReadWriteOnce"], 3, "3 nodes take pods"),
        (["ReadWriteOncePod"], 1, "only one trial"),
        (["ReadOnlyMany"], 1, "no trial can write"),
    ],
)
def test_what_comes_of_an_access_mode(
    modes: Sequence[str], nodes: int, problem: str | None
) -> None:
    found = access_mode_problem(modes, nodes=nodes)
    assert (found is None) if problem is None else (found is not None and problem in found)


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
def test_minikubes_folders_are_of_each_node(annotations: Mapping[str, str], expected: bool) -> None:
    claim = parse(Pvc, {"metadata": {"name": "claim", "annotations": dict(annotations)}})
    assert is_node_local(claim) is expected
