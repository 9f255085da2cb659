"""What is sent comes through Kubernetes' own types as it is."""

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


def kept_of(sent: object, kept: object) -> object:
    """Return what is there again of what was sent, without what was added."""
    if isinstance(sent, Mapping) and isinstance(kept, Mapping):
        return {key: kept_of(value, kept[key]) for key, value in sent.items() if key in kept}
    if isinstance(sent, list) and isinstance(kept, list):
        return [kept_of(one, other) for one, other in zip(sent, kept, strict=True)]
    return kept


@pytest.mark.parametrize("limits", [Limits(), Limits(seconds=90.5, memory=2**30)], ids=str)
def test_nothing_of_a_trials_job_is_lost(
    namespace: str,
    inputs: Inputs,  # noqa: F811
    limits: Limits,
) -> None:
    """Katib denies an Experiment if a field of its job vanishes in Go's types."""
    work = replace(experiment("lossless"), limits=limits)
    plan = katib_backend(namespace, inputs.path).plan(work, inputs=inputs, image=None)
    (manifest,) = plan.manifests()
    template: Any = manifest["spec"]
    sent = {**template["trialTemplate"]["trialSpec"], "metadata": {"name": "lossless"}}
    create = ("create", f"--namespace={namespace}", "--filename=-", "--output=json")
    kept = json.loads(kubectl(*create, "--dry-run=server", stdin=json.dumps(sent)))
    assert kept_of(sent, kept) == sent
