"""What Kubernetes says to users without rights."""

import pytest

from housectl.backends.katib.diagnosis.permissions import explain_forbidden

GIVING = "   # housectl cluster init, run by an administrator, gives the rights"


QUOTA = 'pods "a" is forbidden: exceeded quota: small, requested: pods=1, limited: pods=0'


@pytest.mark.parametrize(
    ("cannot", "may_not", "hint"),
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
def test_what_is_forbidden(cannot: str, may_not: str, hint: str) -> None:
    user = "system:serviceaccount:diag:default"
    cause = explain_forbidden(f'things is forbidden: User "{user}" cannot {cannot}')
    assert cause.message == f"The user {user} may not {may_not}."
    assert cause.hint == hint + GIVING


@pytest.mark.parametrize(
    ("message", "hint"),
    [(QUOTA, "kubectl describe resourcequota -A"), ("no", f"kubectl auth can-i --list{GIVING}")],
)
def test_what_is_forbidden_for_another_reason(message: str, hint: str) -> None:
    assert str(explain_forbidden(message)) == f"The cluster forbids it: {message}. Hint: {hint}"


def test_the_context_stands_in_the_command() -> None:
    message = 'User "x" cannot list resource "nodes" in API group "" at the cluster scope'
    assert explain_forbidden(message, context="prod").hint == (
        f"kubectl --context prod auth can-i list nodes{GIVING}"
    )
