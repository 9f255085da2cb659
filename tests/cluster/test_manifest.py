"""Kubernetes' own types keep every field of a manifest."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from housectl.contract.inputs import Inputs
from housectl.experiment import Limits
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment
from tests.cluster.backend import katib_backend
from tools.dev_cluster.kubectl import kubectl


def kept_fields(sent: object, kept: object) -> object:
    """Return the kept object without the fields that the cluster added."""
    if isinstance(sent, Mapping) and isinstance(kept, Mapping):
        return {key: kept_fields(value, kept[key]) for key, value in sent.items() if key in kept}
    if isinstance(sent, list) and isinstance(kept, list):
        return [kept_fields(*pair) for pair in zip(sent, kept, strict=True)]
    return kept


@pytest.mark.parametrize("limits", [Limits(), Limits(seconds=90.5, memory=2**30)], ids=str)
def test_job_of_trial_loses_no_field(
    namespace: str,
    inputs: Inputs,  # noqa: F811
    limits: Limits,
) -> None:
    """Katib rejects an Experiment if Go's types omit a field of its job."""
    workload = replace(experiment("lossless"), limits=limits)
    plan = katib_backend(namespace, inputs.path).plan(workload, inputs=inputs, image=None)
    (manifest,) = plan.manifests()
    template: Any = manifest["spec"]
    sent = {**template["trialTemplate"]["trialSpec"], "metadata": {"name": "lossless"}}
    create = ("create", f"--namespace={namespace}", "--filename=-", "--output=json")
    kept = json.loads(kubectl(*create, "--dry-run=server", stdin=json.dumps(sent)))
    assert kept_fields(sent, kept) == sent
