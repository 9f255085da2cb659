"""Errors for missing permissions, made of Kubernetes' own messages."""

import pytest

from housectl.kube.errors import ApiServer, explain_forbidden

SERVER = ApiServer(context="", address="https://10.0.0.1")
GRANT = "   # housectl cluster init, run by an administrator, grants the permissions"
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
def test_missing_permission_names_user_verb_and_object(
    cannot: str, may_not: str, hint: str
) -> None:
    user = "system:serviceaccount:diag:default"
    error = explain_forbidden(SERVER, f'things is forbidden: User "{user}" cannot {cannot}')
    assert error.message == f"The user {user} may not {may_not}."
    assert error.hint == hint + GRANT


@pytest.mark.parametrize(
    ("message", "hint"),
    [(QUOTA, "kubectl describe resourcequota -A"), ("no", f"kubectl auth can-i --list{GRANT}")],
)
def test_other_reasons_keep_the_message(message: str, hint: str) -> None:
    error = explain_forbidden(SERVER, message)
    assert error.message == f"The cluster forbids the request: {message}."
    assert error.hint == hint


def test_hint_has_the_context() -> None:
    message = 'User "x" cannot list resource "nodes" in API group "" at the cluster scope'
    server = ApiServer(context="prod", address="https://10.0.0.1")
    assert explain_forbidden(server, message).hint == (
        f"kubectl --context prod auth can-i list nodes{GRANT}"
    )
