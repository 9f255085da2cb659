"""The whole way: tune, compare, promote, roll back. Each step is one call on one project."""

from dataclasses import dataclass, replace
from pathlib import Path

from housectl import deploy_details
from housectl.backends.base import Backend, Handle, Plan
from housectl.contract.bundle import Bundle
from housectl.contract.evidence import Evidence, evidence_key
from housectl.contract.history import Action, Entry
from housectl.contract.inputs import Inputs, SharedRecipe, read_inputs, write_inputs
from housectl.contract.record import digest_of
from housectl.contract.table import read_table
from housectl.errors import NoChallengerError, UnknownExperimentError, UsageError
from housectl.experiment import Experiment, check_name
from housectl.project.config import ProjectConfig
from housectl.sealing import Sealer
from housectl.search import ProgressReporter, wait_for_best_trial
from housectl.store import Challenger, ChampionStore
from housectl.verdict import Verdict, judge
from housectl.verification.verify import Verification, verify, wait_until_serving
from housectl.workspace import Workspace, git_commit

SERVER_UPDATE_TIMEOUT = 30.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A verdict, and what it was about.

    Attributes:
        expected: Number of the history entry that was the champion; 0 for none.
    """

    verdict: Verdict
    challenger: Bundle
    champion: Bundle | None
    champion_number: int


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A comparison and what came of it; `entry` is None when the champion stays."""

    comparison: Comparison
    entry: Entry | None


@dataclass(frozen=True, kw_only=True)
class VerificationRun:
    """What verification found, of which champion; `rolled_back_from` is one that failed it."""

    url: str
    champion: Entry
    report: Verification
    rolled_back_from: Entry | None = None

    @property
    def ok(self) -> bool:
        """Whether the server answered as the champion that was asked about first."""
        return self.report.passed and self.rolled_back_from is None


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One project, its store, and the backend that its searches run on."""

    project: ProjectConfig
    workspace: Workspace
    backend: Backend
    progress: ProgressReporter

    @property
    def store(self) -> ChampionStore:
        """The project's champion store."""
        return ChampionStore(self.workspace.store)

    def plan(self, name: str) -> Plan:
        """Return the plan of a new experiment; its inputs are checked and written.

        Raises:
            UsageError: No experiment can be called so.
            DataError: The data file cannot be trained on.
        """
        return self.backend.plan(self._experiment(name), inputs=self.write_inputs(), image=None)

    def submit(self, name: str) -> Handle:
        """Start a new experiment.

        Raises:
            UsageError: No experiment can be called so.
            DataError: The data file cannot be trained on.
            NameTakenError: An experiment is called so.
        """
        return self.backend.submit(self._experiment(name), inputs=self.write_inputs(), image=None)

    def write_inputs(self) -> Inputs:
        """Check the data file and write the inputs directory, unless it is there."""
        project = self.project
        data = self.workspace.root / project.data
        read_table(data, project.schema_record, group=project.split.group)
        return write_inputs(
            self.workspace.inputs,
            data,
            schema=project.schema_record,
            split=project.split_record,
            seed=project.seed,
        )

    def tune(self, handle: Handle) -> Challenger:
        """Wait for an experiment that was submitted, and seal its best trial.

        Raises:
            NoTrialError: No trial can be used.
            ExperimentStoppedError: The search was stopped or interrupted.
        """
        wait_for_best_trial(self.backend, handle, self.progress)
        return self.seal(handle)

    def seal(self, handle: Handle) -> Challenger:
        """Seal the best trial so far and keep it as the challenger of its experiment."""
        return self._sealer.seal_best(handle)

    def challenger(self, experiment: str | None) -> Challenger:
        """Return the challenger of an experiment, sealing it now if need be; the newest by default.

        Raises:
            NoChallengerError: There is none.
        """
        if experiment is None:
            return self.store.newest_challenger()
        sealed = self.store.challenger(experiment)
        if sealed is not None:
            return sealed
        try:
            handle = self.backend.handle(experiment)
        except UnknownExperimentError as error:
            raise NoChallengerError(
                f"No experiment {experiment} has brought a challenger.", hint="housectl list"
            ) from error
        return self.seal(handle)

    def compare(self, experiment: str | None) -> Comparison:
        """Compare a challenger with the champion on the same rows.

        When data, split, seed or libraries differ, the champion's recipe is measured on the
        challenger's first.
        """
        self.sync_deploy_details()
        named = self.challenger(experiment)
        challenger = self.store.bundle(named.bundle)
        champion = self.store.champion()
        bundle = self.store.bundle(champion.bundle) if champion else None
        verdict = judge(
            self._evidence(challenger, like=challenger),
            self._evidence(bundle, like=challenger) if bundle else None,
            gate=self.project.gate,
        )
        return Comparison(
            verdict=verdict,
            challenger=challenger,
            champion=bundle,
            champion_number=champion.number if champion else 0,
        )

    def promote(self, experiment: str | None) -> Promotion:
        """Compare, and make the challenger the champion if the verdict says so.

        Raises:
            OvertakenError: Another command changed the champion in the meantime.
        """
        comparison = self.compare(experiment)
        if not comparison.verdict.accepted:
            deploy_details.record_rejection(self._details, self.store, comparison.challenger)
            return Promotion(comparison=comparison, entry=None)
        entry = self.store.commit(
            comparison.challenger,
            action=Action.PROMOTION,
            reason=comparison.verdict.reason,
            champion_number=comparison.champion_number,
        )
        self.sync_deploy_details()
        return Promotion(comparison=comparison, entry=entry)

    def rollback(self, version: str | None, *, reason: str) -> Entry:
        """Make an earlier bundle the champion again: the one before, or the one named.

        Raises:
            UsageError: There is none, or it is the champion already.
        """
        champion = self.store.require_champion()
        digest = self.store.find(version) if version else self._previous_bundle(champion)
        if digest is None:
            raise UsageError("There is no earlier champion to go back to.", hint="housectl history")
        if digest == champion.bundle:
            raise UsageError(f"{digest[:12]} is the champion already.", hint="housectl history")
        entry = self.store.commit(
            self.store.bundle(digest),
            action=Action.ROLLBACK,
            reason=reason,
            champion_number=champion.number,
        )
        self.sync_deploy_details()
        return entry

    def verify(self) -> VerificationRun:
        """Prove that the running server answers as the champion does.

        If it does not and the project says so, the champion before, if there is one, is brought
        back, and once the server has followed, that is verified.

        Raises:
            UnreachableError: Nobody answers.
        """
        self.sync_deploy_details()
        first = self._verify_champion()
        wanted = self.project.verify.rollback_on_failure
        if first.report.passed or not wanted or self._previous_bundle(first.champion) is None:
            return first
        failed = ", ".join(check.name for check in first.report.checks if not check.passed)
        entry = self.rollback(None, reason=f"Verification failed: {failed}.")
        wait_until_serving(first.url, entry.bundle, timeout=SERVER_UPDATE_TIMEOUT)
        return replace(self._verify_champion(), rolled_back_from=first.champion)

    def sync_deploy_details(self) -> None:
        """Bring deploy_details.json in line with the history, as a killed command may not have."""
        deploy_details.sync(self._details, self.store)

    def _verify_champion(self) -> VerificationRun:
        champion = self.store.require_champion()
        url = self.project.server_url
        bundle = self.store.bundle(champion.bundle)
        report = verify(bundle, url, p99_ms=self.project.verify.p99_ms)
        return VerificationRun(url=url, champion=champion, report=report)

    def _previous_bundle(self, champion: Entry) -> str | None:
        others = [entry.bundle for entry in self.store.history() if entry.bundle != champion.bundle]
        return others[-1] if others else None

    def _evidence(self, bundle: Bundle, *, like: Bundle) -> Evidence:
        shared = _shared_recipe(like)
        recipe = bundle.record.recipe
        recipe = shared.recipe(recipe.family, recipe.assignment, like.record.recipe.libraries)
        found = self.store.evidence(evidence_key(recipe))
        if found is not None:
            return found
        inputs = read_inputs(self.workspace.inputs / digest_of(shared))
        return self._sealer.reevaluate(recipe, inputs)

    def _experiment(self, name: str) -> Experiment:
        check_name(name)
        return self.project.experiment(name)

    @property
    def _details(self) -> Path:
        return self.workspace.root / self.project.deploy_details

    @property
    def _sealer(self) -> Sealer:
        return Sealer(
            backend=self.backend,
            store=self.store,
            progress=self.progress,
            temp_root=self.workspace.temp_root,
            commit=git_commit(self.workspace.root),
        )


def _shared_recipe(bundle: Bundle) -> SharedRecipe:
    recipe = bundle.record.recipe
    return SharedRecipe(
        schema=bundle.record.schema, data=recipe.data, split=recipe.split, seed=recipe.seed
    )
