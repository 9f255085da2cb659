"""Inputs of the steps, made of a project's settings."""

from collections.abc import Mapping

import pytest

from housectl.backends.factory import search_settings
from housectl.contract.families import training_libraries
from housectl.pipeline.step_inputs import tune_inputs
from housectl.project.config import load_config
from housectl.project.override import Override
from housectl.workspace import find_workspace
from tools.project_directory import ROOT

DIGEST = f"sha256:{'1' * 64}"


def inputs(**settings: object) -> Mapping[str, str]:
    """Return the inputs of a search of Boston with other settings."""
    overrides = {
        name.replace("__", "."): Override(value, f"setting {name}")
        for name, value in settings.items()
    }
    config = load_config(ROOT / "housectl.yaml", overrides=overrides)
    workspace = find_workspace(ROOT, None)
    backend_settings = search_settings(config, workspace)
    return tune_inputs(config, data="0" * 64, backend_settings=backend_settings)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"workers": 1}, set()),
        ({"gate": "holdout", "verify__p99_ms": 1, "serve__port": 1}, set()),
        ({"family": "xgboost"}, {"families", "search space"}),
        ({"space": "wide"}, {"search space"}),
        ({"seed": 1}, {"seed"}),
        ({"budget__time": "10m"}, {"search time"}),
        ({"limits__memory": "1Gi"}, {"trial memory"}),
        ({"target__unit": "dollars"}, {"schema"}),
    ],
)
def test_setting_changes_inputs(settings: dict[str, object], names: set[str]) -> None:
    assert changed(inputs(), inputs(**settings)) == names


def test_local_search_depends_on_library_versions() -> None:
    names = {library.name for library in training_libraries()}
    local, katib = inputs(), inputs(backend="katib")
    assert {*names, "sampler", "housectl"} <= local.keys()
    assert all(local[name] != "not installed" for name in names)
    assert not names & katib.keys()


def test_cluster_search_depends_on_image_and_algorithm() -> None:
    katib = inputs(backend="katib", katib__image=f"registry.example/trainer@{DIGEST}")
    assert katib["image"] == DIGEST
    mirrored = inputs(backend="katib", katib__image=f"localhost:5000/trainer@{DIGEST}")
    tagged = inputs(backend="katib", katib__image="localhost:5000/trainer:v1")
    random = inputs(
        backend="katib",
        katib__image=f"registry.example/trainer@{DIGEST}",
        katib__algorithm="random",
    )
    assert changed(katib, mirrored) == set()
    assert changed(katib, tagged) == {"image"}
    assert changed(katib, random) == {"algorithm"}
