"""Searches with many trials, as an API server has them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.kube_api.long_search import Manifest, Objects, long_search
from tools.project_directory import example


def rendered_search(directory: Path, *, name: str) -> Manifest:
    """Return the Katib Experiment that `tune` would create for the example project."""
    project = example(".", directory, backend="katib")
    plan = project.run_ok("render", "--json", "--name", name, "--image", "registry/x:1")
    rendered: Manifest = yaml.safe_load(str(plan.json["document"]))
    return rendered


def long_searches(rendered: Mapping[str, Any], trials: Mapping[str, int]) -> Objects:
    """Return the objects of several searches by the paths of their collections.

    Args:
        rendered: The Katib Experiment of one search.
        trials: Number of succeeded trials of each search, by its name.
    """
    text, name = json.dumps(rendered), rendered["metadata"]["name"]
    objects: Objects = {}
    for other, count in trials.items():
        experiment = json.loads(text.replace(name, other))
        for path, items in long_search(experiment, trials=count).items():
            objects.setdefault(path, []).extend(items)
    return objects
