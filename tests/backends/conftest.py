import csv
from pathlib import Path

import pytest

from housectl.backends.base import Backend, Handle
from housectl.contract.inputs import Inputs, write_inputs
from housectl.contract.recipe import Split
from housectl.contract.schema import Feature, Schema, Target
from tests.backends.workloads import experiment, submit, wait_for_end

BOSTON = Path(__file__).parents[2] / "data" / "boston.csv"


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Inputs of the Boston data with all its columns."""
    with BOSTON.open() as file:
        *names, target = next(csv.reader(file))
    schema = Schema(
        features=tuple(Feature(name=name, minimum=0.0, maximum=1000.0) for name in names),
        target=Target(name=target),
    )
    parent = tmp_path_factory.mktemp("inputs")
    return write_inputs(parent, BOSTON, schema=schema, split=Split(), seed=1)


@pytest.fixture(scope="module")
def ended_search(backend: Backend, inputs: Inputs) -> Handle:
    """A finished experiment of four trials; tests do not change it."""
    handle = submit(backend, experiment("ended"), inputs)
    wait_for_end(backend, handle)
    return handle
