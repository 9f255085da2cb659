"""Checks of the machine and the project, for every backend."""

import importlib.util
import platform
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from housectl.backends.doctor_check import Check, CheckContext, CheckWarning
from housectl.backends.local.preflight import check_disk_space
from housectl.contract.cells import write_date
from housectl.contract.column_types import Category, Datetime
from housectl.contract.data.table import Table
from housectl.contract.data.usable_data import read_usable_data
from housectl.contract.schema import Feature, Schema
from housectl.doctor.exclusions import check_exclusions
from housectl.doctor.plan import check_trial_time
from housectl.doctor.registry import registry_checks
from housectl.doctor.store import check_store, check_store_access
from housectl.doctor.traps import trap_checks


def machine_checks(context: CheckContext) -> Sequence[Check]:
    """Return the checks in the order in which doctor runs them."""
    read = cache(partial(_read_data, context))
    return (
        Check("python", check_python),
        Check("project file", partial(check_project, context)),
        Check("data", partial(check_data, context, read)),
        Check("excluded columns", partial(check_exclusions, context), needs=("data",)),
        *trap_checks(context, read),
        Check("trial time", partial(check_trial_time, context), needs=("data",)),
        Check("disk", partial(check_disk, context)),
        Check("store access", partial(check_store_access, context)),
        Check("store", partial(check_store, context), needs=("store access",)),
        *registry_checks(context),
        Check("server libraries", check_server_libraries),
        Check("port", partial(check_port, context)),
    )


def check_python() -> str:
    """Report the versions of Python and of the operating system."""
    return f"Python {platform.python_version()} on {platform.platform(terse=True)}"


def check_project(context: CheckContext) -> str:
    """Report the project file, which has already been read."""
    return f"{context.workspace.project_file}: {len(context.project.features)} features"


def check_data(context: CheckContext, read: Callable[[], Table]) -> str:
    """Check the data file as a submission does: every cell, and the split."""
    project = context.project
    schema, table = project.schema_record, read()
    if outside := list(_features_out_of_range(schema, table)):
        raise CheckWarning(
            f"The data has values outside the ranges of {context.workspace.project_file.name}: "
            f"{', '.join(outside)}.",
            hint="Set min and max, or levels, of these features to the data's.",
        )
    dropped = f", and {table.dropped} without a target" if table.dropped else ""
    return f"{context.workspace.path_of(project.data)}: {len(table)} rows{dropped}"


def check_disk(context: CheckContext) -> str:
    """Check that the disk has enough space for trials and bundles."""
    check_disk_space(context.workspace.runs.absolute())
    return f"{shutil.disk_usage(context.workspace.root).free / 2**30:.1f} GiB free"


def check_server_libraries() -> str:
    """Check that the server's libraries are installed."""
    if importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None:
        raise CheckWarning(
            "`housectl serve` would not work: fastapi or uvicorn is missing.",
            hint="pip install 'housectl[serve]'",
        )
    return "fastapi and uvicorn are installed"


def check_port(context: CheckContext) -> str:
    """Check that the server's port is free; a running server may use it."""
    serving = context.project.serve
    try:
        with socket.create_server((serving.host, serving.port)):
            return f"{serving.host}:{serving.port} is free"
    except OSError as error:
        raise CheckWarning(
            f"{serving.host}:{serving.port} is unavailable for a server: {error.strerror}.",
            hint=f"housectl verify   # if it is your server; else housectl serve --port "
            f"{serving.port + 1}",
        ) from error


def _read_data(context: CheckContext) -> Table:
    project = context.project
    return read_usable_data(
        context.workspace.path_of(project.data),
        project.schema_record,
        split=project.split_record,
        seed=project.seed,
        csv_format=project.csv_format,
    ).table


def _features_out_of_range(schema: Schema, table: Table) -> Iterator[str]:
    """Yield each feature that has values outside its range, with the range of its values."""
    for feature in schema.features:
        # Unlike min and max, these ignore NaN.
        values = np.frombuffer(table.numbers[feature.name])
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
        if isinstance(feature.type, Category) and low < feature.minimum:
            yield f"{feature.name} (texts that are no levels)"
        elif low < feature.minimum or high > feature.maximum:
            yield f"{feature.name} ({_shown(feature, low)} to {_shown(feature, high)})"


def _shown(feature: Feature, value: float) -> str:
    if isinstance(feature.type, Datetime):
        return write_date(feature.type, value)
    return f"{value:g}"
