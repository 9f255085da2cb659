"""Pipelines, sealed models and forced promotions for benchmarks."""

from collections.abc import Mapping
from pathlib import Path

from housectl.backends.base import Task, TaskKind
from housectl.backends.factory import create_backend
from housectl.cli.progress import PlainProgress
from housectl.contract.families import Family
from housectl.contract.history import Action
from housectl.contract.parameters import Assignment
from housectl.contract.sealed import Sealed
from housectl.pipeline import Pipeline
from housectl.project.config import load_config
from housectl.project.source import Override
from housectl.store import ChampionStore
from housectl.tasks import TaskRunner
from housectl.workspace import find_workspace


def open_pipeline(root: Path, settings: Mapping[str, object]) -> Pipeline:
    """Open a project; `settings` override fields of its file."""
    workspace = find_workspace(root, None)
    overrides = {field: Override(value, "benchmark") for field, value in settings.items()}
    project = load_config(workspace.project_file, overrides=overrides)
    return Pipeline(
        project=project,
        workspace=workspace,
        backend=create_backend(project, workspace),
        progress=PlainProgress(),
    )


def seal(root: Path, name: str, family: Family, assignment: Assignment) -> Sealed:
    """Seal a recipe without a search."""
    pipeline = open_pipeline(root, {})
    task = Task(name=name, kind=TaskKind.SEAL, family=family, assignment=assignment)
    tasks = TaskRunner(
        backend=pipeline.backend,
        progress=pipeline.progress,
        temp_root=pipeline.workspace.temp_root,
    )
    with tasks.run_seal_task(task, pipeline.write_inputs()) as sealed:
        return sealed


def force_promote(store: ChampionStore, sealed: Sealed) -> None:
    """Make a model the champion without a comparison."""
    store.add_challenger("benchmark", sealed.bundle, sealed.evidence)
    champion = store.champion()
    store.commit(
        store.bundle(sealed.bundle.digest),
        action=Action.PROMOTION,
        reason="Promoted for a benchmark.",
        champion_number=champion.number if champion else 0,
    )
