"""What Kubernetes says to users without rights."""

import pytest

from housectl.backends.katib.diagnosis.permissions import forbidden_cause

GIVING = "   # housectl cluster init, run by an administrator, gives the rights"


QUOTA = 'pods "a" is forbidden: exceeded quota: small, requested: pods=1, limited: pods=0'


@pytest.mark.parametrize(
    ("cannot", "may_not", "cure"),
    [
        (
            'create resource "experiments" in API group "kubeflow.org" in the namespace "kubeflow"',
            "create experiments.kubeflow.org in the namespace kubeflow",
            "kubectl auth can-i create experiments.kubeflow.org -n kubeflow",
        ),
        (
            'create resource "pods/exec" in API group "" in the namespace "diag"',
            "create pods/exec in the namespace diag",
            "kubectl auth can-i create pods --subresource=exec -n diag",
        ),
        (
            'list resource "nodes" in API group "" at the cluster scope',
            "list nodes on the whole cluster",
            "kubectl auth can-i list nodes",
        ),
    ],
)
def test_what_is_forbidden(cannot: str, may_not: str, cure: str) -> None:
    user = "system:serviceaccount:diag:default"
    cause = forbidden_cause(f'things is forbidden: User "{user}" cannot {cannot}')
    assert cause.what == f"The user {user} may not {may_not}."
    assert cause.cure == cure + GIVING


@pytest.mark.parametrize(
    ("message", "cure"),
    [(QUOTA, "kubectl describe resourcequota -A"), ("no", f"kubectl auth can-i --list{GIVING}")],
)
def test_what_is_forbidden_for_another_reason(message: str, cure: str) -> None:
    assert str(forbidden_cause(message)) == f"The cluster forbids it: {message}. Cure: {cure}"


def test_the_context_stands_in_the_command() -> None:
    message = 'User "x" cannot list resource "nodes" in API group "" at the cluster scope'
    assert forbidden_cause(message, context="prod").cure == (
        f"kubectl --context prod auth can-i list nodes{GIVING}"
    )
