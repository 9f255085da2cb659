"""Pipelines, sealed models and forced promotions for benchmarks."""

from collections.abc import Mapping
from pathlib import Path

import housectl
from housectl import Project
from housectl.backends.base import Task, TaskKind
from housectl.cli.progress import PlainProgress
from housectl.contract.families import Family
from housectl.contract.history import Action
from housectl.contract.parameters import Assignment
from housectl.contract.seal_output import SealOutput
from housectl.seal_tasks import SealTaskRunner
from housectl.store.base import ChampionStore


def open_project(root: Path, settings: Mapping[str, object]) -> Project:
    """Open a project that prints its progress, with settings that replace the file's."""
    return housectl.open(root, settings=settings, progress=PlainProgress())


def seal(root: Path, name: str, family: Family, assignment: Assignment) -> SealOutput:
    """Seal a recipe without a search."""
    context = open_project(root, {}).context
    task = Task(name=name, kind=TaskKind.SEAL, family=family, assignment=assignment)
    tasks = SealTaskRunner(
        backend=context.backend,
        progress=PlainProgress(),
        temp_root=context.workspace.temp_root,
    )
    with tasks.run_seal_task(task, context.write_inputs()) as sealed:
        return sealed


def force_promote(store: ChampionStore, sealed: SealOutput) -> None:
    """Make a model the champion without a comparison."""
    store.add_challenger("benchmark", sealed.bundle, sealed.evidence)
    store.commit(
        store.bundle(sealed.bundle.digest),
        action=Action.PROMOTION,
        reason="Promoted for a benchmark.",
        history=store.read_history(),
    )
