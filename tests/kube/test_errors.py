"""Errors for responses of the API server, with and without Katib's explanations."""

import json

import pytest

from housectl.backends.katib.katib_client import katib_client
from housectl.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    KatibMissingError,
    NotFoundError,
    RejectedError,
)
from housectl.kube.errors import UNKNOWN_KIND, ApiServer, error_from_response

SERVER = ApiServer(context="prod", address="https://10.0.0.1")
WEBHOOK = (
    'Internal error occurred: failed calling webhook "{}": failed to call webhook: Post '
    '"https://katib-controller.kubeflow.svc:443": dial tcp: connect: connection refused'
)
KATIB_WEBHOOK = WEBHOOK.format("defaulter.experiment.katib.kubeflow.org")


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "wrong", RejectedError),
        (401, "Unauthorized", ForbiddenError),
        (403, 'User "x" cannot list resource "pods"', ForbiddenError),
        (403, "exceeded quota", RejectedError),
        (404, "not found", NotFoundError),
        (409, "exists", ConflictError),
        (422, "invalid", RejectedError),
        (500, 'admission webhook "a" denied the request: no', RejectedError),
        (500, "oops", ClusterError),
    ],
)
def test_error_class_follows_status(status: int, message: str, error: type[ClusterError]) -> None:
    raised = error_from_response(SERVER, status, json.dumps({"message": message}).encode())
    assert type(raised) is error


def test_unavailable_webhook_is_named() -> None:
    error = error_from_response(SERVER, 500, WEBHOOK.format("policy.example.org").encode())
    assert "policy.example.org is unavailable" in error.message
    assert error.hint.startswith("kubectl --context prod get validatingwebhookconfigurations")


def test_unknown_kind_is_a_cluster_error() -> None:
    error = error_from_response(SERVER, 404, f"{UNKNOWN_KIND}\n".encode())
    assert type(error) is ClusterError
    assert error.hint.startswith("kubectl --context prod api-resources")


def test_katib_client_explains_a_cluster_without_katib() -> None:
    error = katib_client("prod", "houses").explain(SERVER, UNKNOWN_KIND)
    assert isinstance(error, KatibMissingError)
    assert error.hint.startswith('kubectl --context prod apply -k "github.com/kubeflow/katib')


def test_katib_client_names_the_controller_of_its_webhook() -> None:
    error = katib_client("prod", "houses").explain(SERVER, KATIB_WEBHOOK)
    assert error is not None
    assert error.hint == (
        "kubectl --context prod get pods -n kubeflow -l katib.kubeflow.org/component=controller   "
        "# if it lists none, housectl doctor prints the commands that start one"
    )
    error = katib_client("prod", "kubeflow").explain(SERVER, KATIB_WEBHOOK)
    assert error is not None
    assert error.hint.startswith(
        "kubectl --context prod label namespace kubeflow "
        "katib.kubeflow.org/metrics-collector-injection- && kubectl --context prod scale deployment"
    )


def test_katib_client_names_the_label_that_its_validator_requires() -> None:
    message = (
        'admission webhook "validator.experiment.katib.kubeflow.org" denied the request: Cannot '
        'create the Experiment "one" in namespace "houses": the namespace lacks label '
        '"katib.kubeflow.org/metrics-collector-injection: enabled"'
    )
    error = katib_client("prod", "houses").explain(SERVER, message)
    assert error is not None
    assert "lacks the label katib.kubeflow.org/metrics-collector-injection=enabled" in error.message
    assert error.hint == (
        "kubectl --context prod label namespace houses "
        "katib.kubeflow.org/metrics-collector-injection=enabled --overwrite"
    )


@pytest.mark.parametrize("message", ["not found", WEBHOOK.format("policy.example.org")])
def test_katib_client_leaves_other_errors_alone(message: str) -> None:
    assert katib_client("prod", "houses").explain(SERVER, message) is None
