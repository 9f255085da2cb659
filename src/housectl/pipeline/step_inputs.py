"""Inputs of the steps: everything that a step depends on, as short texts by name. Pure."""

from collections.abc import Mapping

from housectl.contract.record import digest_of
from housectl.experiment import Experiment
from housectl.project.config import ProjectConfig
from housectl.project.fields import VerifyFields
from housectl.verdict import Gate

NONE = "none"

StepInputs = Mapping[str, str]


def tune_inputs(
    config: ProjectConfig, *, data: str, backend_settings: Mapping[str, str]
) -> StepInputs:
    """Return the inputs of a search and its sealing.

    The lag is among them, but not the number of workers, which changes only a search's duration.

    Args:
        config: The settings.
        data: Digest of the data file.
        backend_settings: Settings and versions that decide the results on the backend.
    """
    experiment = config.experiment(config.name)
    return {
        "data": data,
        "schema": digest_of(config.schema_record),
        "split": digest_of(config.split_record),
        "seed": str(config.seed),
        "golden rows": config.golden.value,
        **_search_inputs(experiment),
        "backend": config.backend,
        **backend_settings,
    }


def _search_inputs(experiment: Experiment) -> StepInputs:
    budget, limits = experiment.budget, experiment.limits
    spaces = {family.value: space for family, space in experiment.spaces.items()}
    return {
        "families": ", ".join(sorted(experiment.spaces)),
        "search space": digest_of(spaces),
        "trials": str(budget.trials),
        "lag": str(experiment.lag),
        "pruning": "on" if experiment.prune else "off",
        "search time": str(budget.seconds),
        "failed trials": str(budget.max_failed),
        "trial time": str(limits.seconds),
        "trial memory": str(limits.memory),
    }


def promote_inputs(*, challenger: str, champion: str | None, gate: Gate) -> StepInputs:
    """Return the inputs of a verdict; `champion` is the one that remains after it."""
    return {"challenger": challenger, "champion": champion or NONE, "gate": gate.value}


def wait_inputs(*, champion: str, url: str) -> StepInputs:
    """Return the inputs of waiting for a server."""
    return {"champion": champion, "server URL": url}


def verify_inputs(*, champion: str, url: str, settings: VerifyFields) -> StepInputs:
    """Return the inputs of a verification."""
    return {
        **wait_inputs(champion=champion, url=url),
        "p99 limit": str(settings.p99_ms),
        "time limit": str(settings.timeout),
        "request time limit": str(settings.request_timeout),
        "answer size limit": str(settings.max_answer),
    }
