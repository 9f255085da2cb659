"""The check of Katib's database, from its pods."""

import pytest

from housectl.backends.katib.checks.katib import unready_component
from housectl.kube.objects.base import parse
from housectl.kube.objects.pods import Pod


def pod(component: str, *, ready: bool = True, number: int = 0) -> Pod:
    labels = {"katib.kubeflow.org/component": component}
    return parse(
        Pod,
        {
            "metadata": {"name": f"katib-{component}-{number}", "labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
        },
    )


CONTROLLER = pod("controller")


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([pod("mysql"), pod("db-manager")], None),
        ([pod("postgres"), pod("db-manager")], None),
        ([pod("db-manager")], None),
        ([], "db-manager"),
        ([pod("mysql")], "db-manager"),
        ([pod("mysql"), pod("db-manager", ready=False)], "db-manager"),
        ([pod("mysql", ready=False), pod("db-manager", ready=False)], "mysql"),
        ([pod("postgres", ready=False), pod("db-manager")], "postgres"),
        ([pod("db-manager", ready=False), pod("db-manager", number=1)], None),
    ],
)
def test_unready_component(pods: list[Pod], expected: str | None) -> None:
    assert unready_component([CONTROLLER, *pods]) == expected
