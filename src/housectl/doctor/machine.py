"""Checks of the machine and the project, wherever searches run."""

import importlib.util
import platform
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial

from housectl.backends.doctor_check import Check, CheckContext
from housectl.backends.local.preflight import check_disk_space
from housectl.contract.files import translate_disk_errors
from housectl.contract.table import read_table
from housectl.errors import CheckWarning
from housectl.store import ChampionStore


def checks(patient: CheckContext) -> Sequence[Check]:
    """Return the checks that stand before those of any backend."""
    return (
        Check("python", check_python),
        Check("project file", partial(check_project, patient)),
        Check("data", partial(check_data, patient)),
        Check("disk", partial(check_disk, patient)),
        Check("store", partial(check_store, patient)),
        Check("server libraries", check_server),
        Check("port", partial(check_port, patient)),
    )


def check_python() -> str:
    """Python and the machine."""
    return f"Python {platform.python_version()} on {platform.platform(terse=True)}"


def check_project(patient: CheckContext) -> str:
    """The project file; it was read to get here."""
    return f"{patient.workspace.project_file}: {len(patient.project.features)} features"


def check_data(patient: CheckContext) -> str:
    """Every cell of the data file."""
    project = patient.project
    path = patient.workspace.root / project.data
    table = read_table(path, project.schema_record, group=project.split.group)
    _check_ranges(
        patient, {name: (min(cells), max(cells)) for name, cells in table.numbers.items()}
    )
    return f"{path}: {len(table)} rows"


def check_disk(patient: CheckContext) -> str:
    """Room for the files of trials and bundles."""
    check_disk_space(patient.workspace.runs.absolute())
    return f"{shutil.disk_usage(patient.workspace.root).free / 2**30:.1f} GiB free"


def check_store(patient: CheckContext) -> str:
    """Whether the store can be written and every byte of the champion is right."""
    store = ChampionStore(patient.workspace.store)
    existing = next(path for path in (store.path, *store.path.parents) if path.is_dir())
    with translate_disk_errors(store.path), tempfile.TemporaryFile(dir=existing):
        pass
    history = store.history()
    if not history:
        return f"{store.path}: no champion yet"
    bundle = store.bundle(history[-1].bundle)
    return f"{store.path}: champion {bundle.version}, {len(history)} entries"


def check_server() -> str:
    """What the server runs on."""
    if importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None:
        raise CheckWarning(
            "`housectl serve` would not work: fastapi or uvicorn is missing.",
            hint="pip install 'housectl[serve]'",
        )
    return "fastapi and uvicorn are installed"


def check_port(patient: CheckContext) -> str:
    """Whether the server's port is free; a server may well be running already."""
    serving = patient.project.serve
    try:
        with socket.create_server((serving.host, serving.port)):
            return f"{serving.host}:{serving.port} is free"
    except OSError as error:
        raise CheckWarning(
            f"{serving.host}:{serving.port} cannot be listened on: {error.strerror}.",
            hint=f"housectl verify   # if it is your server; else housectl serve --port "
            f"{serving.port + 1}",
        ) from error


def _check_ranges(patient: CheckContext, found: Mapping[str, tuple[float, float]]) -> None:
    outside = [
        f"{name} ({found[name][0]:g} to {found[name][1]:g})"
        for name, fields in patient.project.features.items()
        if found[name][0] < fields.min or found[name][1] > fields.max
    ]
    if outside:
        raise CheckWarning(
            f"The data has values outside the ranges of {patient.workspace.project_file.name}: "
            f"{', '.join(outside)}.",
            hint="Set min and max of these features to the data's.",
        )
