"""Settings of housectl.yaml that flags and environment variables can override."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

import typer

from housectl import BACKENDS, Family


@dataclass(frozen=True)
class Setting:
    """One setting that commands can override.

    Attributes:
        field: Dotted name of the field in housectl.yaml.
        flag: Name of the flag, if it differs from that of the setting.
    """

    field: str
    type: type
    help: str
    flag: str | None = None


_BACKENDS_HELP = ", ".join(f"{name} ({entry.runs_on})" for name, entry in BACKENDS.items())

SETTINGS: Mapping[str, Setting] = {
    "backend": Setting("backend", str, f"Backend of experiments: {_BACKENDS_HELP}."),
    "family": Setting("family", str, f"{', '.join(Family)}, or auto for all."),
    "space": Setting("space", str, "Search space: default or wide."),
    "seed": Setting("seed", int, "Seed of split, folds, models and search."),
    "trials": Setting("budget.trials", int, "Number of trials in a search."),
    "time": Setting("budget.time", str, "Time limit of a search, such as 10m."),
    "max-failed": Setting("budget.max_failed", int, "Number of failed trials that ends a search."),
    "workers": Setting("workers", str, "Number of parallel trials, or auto."),
    "lag": Setting("lag", int, "A trial depends on trials that are earlier by at least this."),
    "prune": Setting("prune", bool, "End trials that can hardly beat the best one before them."),
    "trial-time": Setting("limits.time", str, "Time limit of a trial, such as 5m."),
    "trial-memory": Setting("limits.memory", str, "Memory limit of a trial, such as 4Gi."),
    "context": Setting("katib.context", str, "Kubeconfig context."),
    "namespace": Setting("katib.namespace", str, "Kubernetes namespace."),
    "pvc": Setting("katib.pvc", str, "Persistent volume claim (PVC) for inputs and models."),
    "image": Setting("katib.image", str, "Trainer image."),
    "algorithm": Setting("katib.algorithm", str, "Katib search algorithm."),
    "gate": Setting("gate", str, "Promotion gate: holdout-and-cv or holdout."),
    "host": Setting("serve.host", str, "Server address."),
    "port": Setting("serve.port", int, "Server port."),
    "poll-interval": Setting(
        "serve.poll_interval",
        str,
        "Polling interval: 0.25s for a directory and 2s for an object store by default.",
    ),
    "serve-workers": Setting(
        "serve.workers", str, "Processes that serve, or auto: one for each core.", flag="workers"
    ),
    "objective-ms": Setting(
        "serve.objective_ms",
        float,
        "Time in ms that a prediction may wait; a busier server refuses it.",
    ),
    "shadow": Setting(
        "serve.shadow", str, "Version that is compared with the champion, without serving it."
    ),
    "canary": Setting("serve.canary", str, "Version that answers a part of the predictions."),
    "percent": Setting("serve.percent", float, "Part of the predictions that the canary answers."),
    "canary-header": Setting(
        "serve.canary_header", str, "Header whose value chooses champion or canary."
    ),
    "api-keys-file": Setting(
        "serve.api_keys_file", str, "File of hashed API keys, one of which each request needs."
    ),
    "root-path": Setting(
        "serve.root_path", str, "Path under which a proxy serves, such as /models/boston."
    ),
    "cors-origins": Setting(
        "serve.cors_origins", str, "Origins whose web pages may send requests, with commas, or *."
    ),
    "access-log": Setting("serve.access_log", bool, "Log each request."),
    "prediction-log": Setting(
        "serve.prediction_log", str, "File that gets features and predictions as JSON lines."
    ),
    "prediction-log-sample": Setting(
        "serve.prediction_log_sample", float, "Fraction of the predicted rows that is logged."
    ),
    "url": Setting("verify.url", str, "Server URL, such as http://127.0.0.1:8005."),
    "p99-ms": Setting("verify.p99_ms", float, "p99 latency limit in ms, measured over HTTP."),
    "timeout": Setting("verify.timeout", str, "Time limit of the verification, such as 60s."),
    "request-timeout": Setting(
        "verify.request_timeout", str, "Time limit of a request, such as 5s."
    ),
    "max-answer": Setting("verify.max_answer", str, "Size limit of an answer, such as 1Mi."),
    "rollback-on-failure": Setting(
        "verify.rollback_on_failure",
        bool,
        "Roll back if predictions of the champion are wrong.",
    ),
    "registry-url": Setting("registry.url", str, "URL of a Kubeflow Model Registry."),
    "registry-name": Setting("registry.name", str, "Name of the registered model."),
    "registry-token-file": Setting("registry.token_file", str, "File with a bearer token."),
    "deploy-details": Setting("deploy_details", str, "File that records the last verdict."),
}

SERVE_SETTINGS = (
    *("host", "port", "poll-interval", "serve-workers", "objective-ms"),
    *("shadow", "canary", "percent", "canary-header"),
    *("api-keys-file", "root-path", "cors-origins"),
    *("access-log", "prediction-log", "prediction-log-sample"),
)
CLUSTER_SETTINGS = ("context", "namespace", "pvc", "image")
REGISTRY_SETTINGS = ("registry-url", "registry-name", "registry-token-file")
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
    "lag",
    "prune",
    "trial-time",
    "trial-memory",
)
VERIFY_SETTINGS = (
    *("url", "p99-ms", "timeout", "request-timeout", "max-answer", "rollback-on-failure"),
    *("host", "port", *REGISTRY_SETTINGS, "deploy-details"),
)


def settings_from_handle(handle: object) -> Mapping[str, str]:
    """Return the settings that the URL of a handle implies: the backend and its location."""
    scheme, separator, location = str(handle).partition("://")
    if not separator:
        return {}
    if scheme != "katib":
        return {"backend": scheme}
    context, _, path = location.partition("/")
    implied = {"context": unquote(context), "namespace": path.partition("/")[0]}
    return {"backend": scheme, **{name: value for name, value in implied.items() if value}}


def parameter_name(setting: str) -> str:
    """Return the name of a setting's Python parameter."""
    return setting.replace("-", "_")


def flag(setting: str) -> str:
    """Return the flag of a setting."""
    return f"--{SETTINGS[setting].flag or setting}"


def env_var(setting: str) -> str:
    """Return the name of a setting's environment variable."""
    return f"HOUSECTL_{parameter_name(setting).upper()}"


def option(setting: str) -> object:
    """Return the annotation that makes typer read a setting from its flag or variable."""
    definition = SETTINGS[setting]
    name = f"--{setting}/--no-{setting}" if definition.type is bool else flag(setting)
    return Annotated[
        definition.type | None, typer.Option(name, envvar=env_var(setting), help=definition.help)
    ]
