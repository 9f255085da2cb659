"""Other model servers: their commands, and a row in each protocol."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.server_process import free_port

Row = Mapping[str, float]

_SERVICE = Path(__file__).with_name("bentoml_service.py")
_SAVE_MLFLOW = (
    "import joblib, mlflow.sklearn; "
    "mlflow.sklearn.save_model(joblib.load('model.joblib'), 'mlflow', "
    "serialization_format='cloudpickle')"
)


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A model server.

    Attributes:
        title: Name in the table.
        prepare: Prepares the directory that has model.joblib, by the server's Python.
        command: Returns the arguments of the server's program for a port.
        ready: Path that answers 200 once the server predicts.
        path: Path of predictions.
        body: Returns the request body of a row.
        environment: Further environment variables; the port is MLSERVER_HTTP_PORT, too.
    """

    title: str
    prepare: Callable[[Path, Path], None]
    command: Callable[[int], Sequence[str]]
    ready: str
    path: str
    body: Callable[[Row], object]
    environment: Mapping[str, str] = field(default_factory=dict)


def _prepare_mlflow(python: Path, directory: Path) -> None:
    subprocess.run(
        [python, "-c", _SAVE_MLFLOW], cwd=directory, check=True, stdout=subprocess.DEVNULL
    )


def _prepare_mlserver(_: Path, directory: Path) -> None:
    settings = {
        "name": "forest",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib"},
    }
    (directory / "model-settings.json").write_text(json.dumps(settings))
    ports = {"host": "127.0.0.1", "grpc_port": free_port(), "metrics_port": free_port()}
    (directory / "settings.json").write_text(json.dumps(ports))


def _prepare_bentoml(_: Path, directory: Path) -> None:
    shutil.copy(_SERVICE, directory / "service.py")


def _mlflow_body(row: Row) -> object:
    return {"dataframe_split": {"columns": list(row), "data": [list(row.values())]}}


def _tensor_body(row: Row) -> object:
    values = list(row.values())
    tensor = {"name": "rows", "shape": [1, len(values)], "datatype": "FP64", "data": values}
    return {"inputs": [tensor]}


def _bentoml_body(row: Row) -> object:
    return {"row": list(row.values())}


PEERS: Mapping[str, Peer] = {
    "mlflow": Peer(
        title="MLflow models serve",
        prepare=_prepare_mlflow,
        command=lambda port: (
            *("mlflow", "models", "serve", "--model-uri", "mlflow", "--env-manager", "local"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ),
        ready="/ping",
        path="/invocations",
        body=_mlflow_body,
        environment={"MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
    "mlserver": Peer(
        title="MLServer",
        prepare=_prepare_mlserver,
        command=lambda _: ("mlserver", "start", "."),
        ready="/v2/models/forest/ready",
        path="/v2/models/forest/infer",
        body=_tensor_body,
    ),
    "bentoml": Peer(
        title="BentoML",
        prepare=_prepare_bentoml,
        command=lambda port: ("bentoml", "serve", "service:Forest", "--port", str(port)),
        ready="/readyz",
        path="/predict",
        body=_bentoml_body,
        environment={"BENTOML_DO_NOT_TRACK": "True"},
    ),
}
