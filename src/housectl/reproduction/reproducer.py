"""Reproduction of a bundle on any backend."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from housectl.backends.base import Backend, Snapshot, Task, TaskKind, TrainerRecord
from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import BUNDLE_FILE, SHORT_DIGEST, Provenance
from housectl.contract.evidence import EVIDENCE_FILE
from housectl.contract.files import atomic_directory, write_and_sync
from housectl.contract.golden import GoldenSource
from housectl.contract.seal_output import SealOutput
from housectl.errors import BundleError, UnknownExperimentError, UsageError
from housectl.experiment import ExperimentState
from housectl.image_references import by_digest
from housectl.inputs_finder import InputsFinder
from housectl.reproduction.comparison import comparable_record, compare_files, compare_inputs
from housectl.reproduction.result import Reproduction
from housectl.seal_tasks import SealTaskRunner
from housectl.store.base import ChampionStore
from housectl.waiting import ProgressReporter

_NAME_DIGITS = 20


@dataclass(frozen=True, kw_only=True)
class Reproducer:
    """Trains bundles again from their records; changes nothing in the store.

    Attributes:
        inputs: Finds the inputs of a bundle.
        golden: Origin of the golden rows of bundles that do not record it.
        temp_root: Directory for downloads, on a disk with space for a bundle.
    """

    store: ChampionStore
    backend: Backend
    inputs: InputsFinder
    golden: GoldenSource
    progress: ProgressReporter
    temp_root: Path

    def reproduce(self, version: str | None, *, output_dir: Path | None = None) -> Reproduction:
        """Train a bundle again in an environment with its recorded requirements, and compare.

        Args:
            version: First digits of the bundle's digest; None for the champion.
            output_dir: New directory that keeps the reproduced bundle and its evidence.

        Raises:
            UsageError: There is no such bundle, or `output_dir` exists.
            NoChampionError: The store has no champion.
            InputsError: The inputs or requirements are missing or altered.
            LocalEnvironmentError: The environment cannot be built.
            TaskFailedError: The trainer failed.
        """
        _check_unused(output_dir)
        digest = (
            self.store.require_champion().bundle
            if version is None
            else self.store.find_bundle(version)
        )
        bundle, evidence = self.store.bundle(digest), self.store.evidence(digest)
        notes: list[str] = []
        sealed = self._seal(bundle, warn=notes.append)
        if output_dir is not None:
            _keep(sealed, output_dir)
        return Reproduction(
            bundle=bundle,
            reproduced_digest=comparable_record(bundle, sealed.bundle).digest,
            files=compare_files(bundle, evidence, sealed),
            differing_inputs=compare_inputs(bundle, evidence, sealed),
            notes=(*notes, *_notes(bundle, sealed)),
        )

    def _seal(self, bundle: Bundle, *, warn: Callable[[str], None]) -> SealOutput:
        task = _task(bundle, self.golden)
        inputs = self.inputs.find(bundle)
        backend = self.backend.with_trainer(
            self._trainer(bundle), report=self._reporter(task), warn=warn
        )
        runner = SealTaskRunner(backend=backend, progress=self.progress, temp_root=self.temp_root)
        try:
            with runner.run_seal_task(task, inputs) as sealed:
                return sealed
        except (UnknownExperimentError, BundleError):
            # Another command has just finished the same task, and deleted it or its files.
            with runner.run_seal_task(task, inputs) as sealed:
                return sealed

    def _trainer(self, bundle: Bundle) -> TrainerRecord:
        provenance = bundle.record.provenance
        return TrainerRecord(
            lock=self.store.lock(provenance.lock) if provenance.lock else None,
            libraries=bundle.record.recipe.libraries,
            image=_image(provenance),
        )

    def _reporter(self, task: Task) -> Callable[[str], None]:
        def report(line: str) -> None:
            snapshot = Snapshot(state=ExperimentState.RUNNING)
            self.progress.on_task(task, snapshot, lambda: line)

        return report


def _task(bundle: Bundle, golden: GoldenSource) -> Task:
    recipe, provenance = bundle.record.recipe, bundle.record.provenance
    return Task(
        name=f"reproduce-{bundle.digest[:_NAME_DIGITS]}",
        kind=TaskKind.SEAL,
        family=recipe.family,
        assignment=recipe.assignment,
        experiment=provenance.experiment,
        trial=provenance.trial,
        commit=provenance.commit,
        golden=provenance.golden or golden,
    )


def _image(provenance: Provenance) -> str | None:
    """Return the recorded image, by its digest if that is known."""
    image, digest = provenance.image, provenance.image_digest
    return by_digest(image, digest) if image and digest else image


def _notes(bundle: Bundle, sealed: SealOutput) -> Iterator[str]:
    """Yield the deviations from the recorded code and image."""
    recorded, used = bundle.record.provenance, sealed.bundle.record.provenance
    if recorded.code and (recorded.code, recorded.housectl) != (used.code, used.housectl):
        yield (
            f"The code differs: housectl {recorded.housectl} ({recorded.code[:SHORT_DIGEST]}) "
            f"sealed the bundle, and housectl {used.housectl} ({(used.code or '')[:SHORT_DIGEST]}) "
            "reproduced it."
        )
    if used.image and not used.image_digest:
        yield (
            f"The image {used.image} has no known digest: `make images PUSH=REGISTRY` pushes "
            "images and records their digests."
        )


def _check_unused(output_dir: Path | None) -> None:
    if output_dir is not None and output_dir.exists():
        raise UsageError(
            f"The output directory {output_dir} exists already.",
            hint=f"ls {quote(str(output_dir))}   # name a new directory",
        )


def _keep(sealed: SealOutput, output_dir: Path) -> None:
    files = {
        **sealed.bundle.content,
        BUNDLE_FILE: sealed.bundle.record.to_json(),
        EVIDENCE_FILE: sealed.evidence.to_json(),
    }
    with atomic_directory(output_dir) as directory:
        for name, content in files.items():
            write_and_sync(directory / name, content)
