"""The settings that a flag or an environment variable can say instead of housectl.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

import typer

from housectl.backend_registry import BACKENDS
from housectl.contract.families import Family


@dataclass(frozen=True)
class Setting:
    """One value of the project file that commands can override.

    Attributes:
        field: Its dotted place in housectl.yaml.
    """

    field: str
    type: type
    help: str


_BACKENDS_HELP = ", ".join(f"{name} ({entry.runs_on})" for name, entry in BACKENDS.items())

SETTINGS: Mapping[str, Setting] = {
    "backend": Setting("backend", str, f"Where experiments run: {_BACKENDS_HELP}."),
    "family": Setting("family", str, f"{', '.join(Family)}, or auto for all."),
    "space": Setting("space", str, "Search space: default or wide."),
    "seed": Setting("seed", int, "Seed of split, folds, models and search."),
    "trials": Setting("budget.trials", int, "Trials after which the search ends."),
    "time": Setting("budget.time", str, "Wall time of the search, such as 10m."),
    "max-failed": Setting("budget.max_failed", int, "Failed trials that end the search."),
    "workers": Setting("workers", int, "Trials at the same time."),
    "trial-time": Setting("limits.time", str, "Time limit of one trial, such as 5m."),
    "trial-memory": Setting("limits.memory", str, "Memory limit of one trial, such as 4Gi."),
    "context": Setting("katib.context", str, "Context of the kubeconfig."),
    "namespace": Setting("katib.namespace", str, "Namespace on the cluster."),
    "pvc": Setting("katib.pvc", str, "Persistent volume claim for inputs and models."),
    "image": Setting("katib.image", str, "Image of the trainer."),
    "algorithm": Setting("katib.algorithm", str, "Katib's algorithm."),
    "gate": Setting("gate", str, "holdout-and-cv, or holdout."),
    "host": Setting("serve.host", str, "The server's address."),
    "port": Setting("serve.port", int, "The server's port."),
    "url": Setting("verify.url", str, "Where the server is, such as http://127.0.0.1:8005."),
    "p99-ms": Setting("verify.p99_ms", float, "Objective for the 99th percentile of latency."),
    "rollback-on-failure": Setting(
        "verify.rollback_on_failure", bool, "When it fails, bring the champion before back."
    ),
    "deploy-details": Setting("deploy_details", str, "Where the last verdict is written."),
}

CLUSTER_SETTINGS = ("context", "namespace", "pvc", "image")
BACKEND_SETTINGS = ("backend", *CLUSTER_SETTINGS)
SEARCH_SETTINGS = (
    *BACKEND_SETTINGS,
    "algorithm",
    "family",
    "space",
    "seed",
    "trials",
    "time",
    "max-failed",
    "workers",
    "trial-time",
    "trial-memory",
)


def settings_from_handle(name: object) -> Mapping[str, str]:
    """Return the settings that the URL of a handle stands for: which backend, and where."""
    scheme, separator, rest = str(name).partition("://")
    if not separator:
        return {}
    if scheme != "katib":
        return {"backend": scheme}
    context, _, place = rest.partition("/")
    implied = {"context": unquote(context), "namespace": place.partition("/")[0]}
    return {"backend": scheme, **{setting: text for setting, text in implied.items() if text}}


def parameter_name(setting: str) -> str:
    """Return the name of the Python parameter that carries a setting."""
    return setting.replace("-", "_")


def env_var(setting: str) -> str:
    """Return the name of the environment variable of a setting."""
    return f"HOUSECTL_{parameter_name(setting).upper()}"


def option(setting: str) -> object:
    """Return the annotation that makes typer read a setting from flag or environment."""
    known = SETTINGS[setting]
    flag = f"--{setting}/--no-{setting}" if known.type is bool else f"--{setting}"
    return Annotated[
        known.type | None, typer.Option(flag, envvar=env_var(setting), help=known.help)
    ]
