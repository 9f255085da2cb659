"""Projects: the operations of the public API and of the commands.

Modules that only some methods need are imported there, so that reading the history stays light.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from housectl.errors import UnknownExperimentError
from housectl.pipeline.steps import Step
from housectl.project_context import ProjectContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    from housectl.backends.base import Overview, Plan
    from housectl.champion_verification import VerificationRun
    from housectl.cluster_setup import ClusterSetup, Overlay
    from housectl.comparison import Comparison
    from housectl.contract.api_keys import ApiKey
    from housectl.contract.history import HistoryEntry
    from housectl.doctor.runner import CheckResult
    from housectl.drift import DriftReport
    from housectl.experiment import Experiment
    from housectl.file_prediction import FilePrediction
    from housectl.pipeline.steps import PipelineRun, StepResult
    from housectl.project.config import ProjectConfig
    from housectl.promotion import Promotion
    from housectl.registry.comparison import RegistryComparison
    from housectl.registry.mirror import RegistrySync
    from housectl.reproduction.result import Reproduction
    from housectl.sealed_model import SealedModel
    from housectl.submitted_experiment import SubmittedExperiment


@dataclass(frozen=True)
class Project:
    """A directory with a housectl.yaml: its experiments, its champion and its server.

    `housectl.open` returns one. Its housectl.yaml is read when a method first needs a setting.
    """

    context: ProjectContext

    @property
    def config(self) -> "ProjectConfig":
        """The content of housectl.yaml, with the settings applied.

        Raises:
            ProjectError: The file is invalid; the message lists every problem.
            UsageError: A setting is invalid, or does not fit the file.
        """
        return self.context.config

    def tune(self, name: str | None = None) -> "SealedModel":
        """Run a new experiment to its end, and seal its best trial as the challenger.

        Args:
            name: Name of the experiment; by default made of the project's name and the time.

        Raises:
            AlreadyExistsError: The name is taken.
            DataError: The data file is unusable.
            TrialTooLongError: A typical trial cannot end within its time limit.
            ModelTooLargeError: A model can be larger than a bundle may be.
            NoUsableTrialError: No trial succeeded.
            ExperimentInterruptedError: The experiment was stopped or interrupted.

        >>> challenger = project.tune("first")
        >>> challenger.holdout_mse < 50
        True
        """
        return self.submit(name).result()

    def submit(self, name: str | None = None) -> "SubmittedExperiment":
        """Start a new experiment, and return without waiting for its end.

        Raises:
            AlreadyExistsError: The name is taken.
            DataError: The data file is unusable.
            TrialTooLongError: A typical trial cannot end within its time limit.
            ModelTooLargeError: A model can be larger than a bundle may be.

        >>> run = project.submit("second")
        >>> run.result().version == run.challenger_digest[:12]
        True
        """
        experiment = self._new_experiment(name)
        # A damaged history stops the command here, not after the search.
        self.context.store.history()
        inputs = self.context.write_inputs()
        self.context.check_plan(experiment, inputs)
        return self.context.run(self.context.backend.submit(experiment, inputs=inputs, image=None))

    def estimate_setup_seconds(self) -> float:
        """Estimate the time that `submit` and the backend take until the first trial runs.

        >>> project.estimate_setup_seconds() < 10
        True
        """
        return self.context.estimate_setup_seconds()

    def plan(self, name: str | None = None) -> "Plan":
        """Return the plan that `submit` would execute; `str()` of it is readable.

        Raises:
            DataError: The data file is unusable.

        >>> project.plan("third").workload.name
        'third'
        """
        experiment = self._new_experiment(name)
        return self.context.backend.plan(experiment, inputs=self.context.write_inputs(), image=None)

    def has_settings_of(self, run: "SubmittedExperiment") -> bool:
        """Return True if a submission now would have the plan of an experiment.

        The data are not read, so their changes do not count.

        >>> project.has_settings_of(project.experiment("good"))
        True
        """
        experiment, inputs = self.config.experiment(run.name), self.context.inputs_like(run.inputs)
        return str(run.plan) == str(
            self.context.backend.plan(experiment, inputs=inputs, image=None)
        )

    def experiments(self) -> "list[SubmittedExperiment]":
        """Return all experiments, the newest first.

        >>> [run.name for run in project.experiments()]
        ['good', 'poor']
        """
        return [self.context.run(handle) for handle in self.context.backend.handles()]

    def overviews(self) -> "list[tuple[SubmittedExperiment, Overview]]":
        """Return the state and the counts of all experiments, the newest first.

        On a cluster, this takes some requests in all, rather than some for each experiment.

        >>> [(run.name, overview.state.value) for run, overview in project.overviews()]
        [('good', 'succeeded'), ('poor', 'succeeded')]
        """
        overviews = self.context.backend.overviews()
        return [(self.context.run(handle), overview) for handle, overview in overviews]

    def experiment(self, name: str | None = None) -> "SubmittedExperiment":
        """Return an experiment by its name or handle; by default the newest.

        Raises:
            UnknownExperimentError: No experiment has that name, or the project has none.

        >>> project.experiment("good").name
        'good'
        """
        if name is not None:
            return self.context.run(self.context.backend.handle(name))
        runs = self.experiments()
        if not runs:
            raise UnknownExperimentError(
                "Experiment not found: the project has none yet.", hint="housectl tune"
            )
        return runs[0]

    def local_experiment_names(self) -> list[str]:
        """Return the names of the experiments in the project's directory, for shell completion.

        >>> project.local_experiment_names()
        ['good', 'poor']
        """
        runs = self.context.workspace.runs
        return sorted(path.name for path in runs.glob("[!.]*"))

    def challenger(self, experiment: str | None = None) -> "SealedModel":
        """Return the challenger of an experiment; by default the newest challenger.

        The best trial is sealed if the experiment has no challenger yet.

        Raises:
            NoChallengerError: The experiment is unknown, or no model has been sealed.

        >>> project.challenger("good").holdout_mse < project.challenger("poor").holdout_mse
        True
        """
        return self.context.model(self.context.promoter.find_challenger(experiment).bundle)

    def champion(self) -> "SealedModel":
        """Return the champion: the model in production.

        Raises:
            NoChampionError: Nothing was promoted yet.

        >>> project.champion().digest == project.history()[-1].bundle
        True
        """
        return self.context.model(self.context.store.require_champion().bundle)

    def predict_file(
        self,
        path: "str | PathLike[str]",
        *,
        version: str | None = None,
        explain: bool = False,
    ) -> "FilePrediction":
        """Return the predictions for the rows of a data file, which are computed when used.

        Args:
            path: A CSV file of the format that `csv:` in housectl.yaml describes, or a Parquet
                file. It has a column for each feature, and maybe others.
            version: First digits of a bundle's digest. By default the champion.
            explain: Compute the contributions of the features, too.

        Raises:
            NoChampionError: Nothing was promoted yet.
            UsageError: There is no such bundle or file.

        >>> prediction = project.predict_file("data.csv", explain=True)
        >>> first = next(prediction.rows())
        >>> round(first.prediction - prediction.baseline - sum(first.contributions.values()), 9)
        0.0
        """
        from housectl.file_prediction import FilePrediction, checked_path

        source = checked_path(path)
        store = self.context.store
        digest = store.require_champion().bundle if version is None else store.find_bundle(version)
        return FilePrediction(
            bundle=store.bundle(digest),
            path=source,
            csv_format=self.config.csv_format,
            explain=explain,
        )

    def compare(self, experiment: str | None = None) -> "Comparison":
        """Compare a challenger with the champion, which stays.

        The store records which challengers were compared on the same held-out rows.

        Raises:
            NoChallengerError: There is nothing to compare.

        >>> project.compare("good").verdict.accepted
        True
        """
        return self.context.promoter.compare(experiment)

    def promote(self, experiment: str | None = None, *, accept: str | None = None) -> "Promotion":
        """Make a challenger the champion if it is better.

        Args:
            experiment: The experiment of the challenger; by default the newest challenger.
            accept: Reason to promote the challenger even if the verdict rejects it. The history
                then records the reason as an override, together with the verdict.

        Raises:
            NoChallengerError: There is nothing to promote.
            UsageError: The reason is invalid, or the challenger is the champion already.
            ConcurrentUpdateError: Another command changed the champion after the comparison.

        >>> project.promote("good").entry.number
        2
        >>> promotion = project.promote("poor", accept="its trees are smaller")
        >>> promotion.comparison.verdict.accepted, promotion.entry.override
        (False, 'its trees are smaller')
        """
        return self.context.promoter.promote(experiment, accept=accept)

    def rollback(
        self, version: str | None = None, *, reason: str = "Rolled back by hand."
    ) -> "HistoryEntry":
        """Make an earlier champion the champion again.

        Args:
            version: First digits of the bundle's digest. By default the champion before this one;
                each further rollback leads further back. Bundles that failed a verification are
                skipped.
            reason: Explanation for the history.

        Raises:
            UsageError: There is no such bundle.

        >>> before = project.champion().digest
        >>> entry = project.promote("good").entry
        >>> project.rollback(reason="complaints from users").bundle == before
        True
        """
        return self.context.promoter.rollback(version, reason=reason)

    def history(self) -> "tuple[HistoryEntry, ...]":
        """Return all changes of the champion, the oldest first.

        >>> entry = project.promote("good").entry
        >>> [entry.action.value for entry in project.history()]
        ['promotion', 'promotion']
        """
        return self.context.store.history()

    def reproduce(
        self, version: str | None = None, *, output_dir: "str | PathLike[str] | None" = None
    ) -> "Reproduction":
        """Train a bundle again from its record, in a fresh environment, and compare all files.

        Nothing changes in the store.

        Args:
            version: First digits of the bundle's digest. By default the champion.
            output_dir: New directory that keeps the reproduced files.

        Raises:
            UsageError: There is no such bundle, or the directory exists.
            NoChampionError: Nothing was promoted yet.
            InputsError: The data or the requirements of the bundle are missing or altered.
            LocalEnvironmentError: The environment cannot be built.
            TaskFailedError: The trainer failed.
        """
        directory = None if output_dir is None else Path(output_dir)
        return self.context.reproducer.reproduce(version, output_dir=directory)

    def clock_warnings(self, *, since: int = 1) -> tuple[str, ...]:
        """Return a sentence for each change of the champion that is older than the one before.

        Args:
            since: Number of the first history entry to check.

        >>> project.clock_warnings()
        ()
        """
        from housectl.contract.history import clock_warnings

        return clock_warnings(self.context.store.history(), since=since)

    def serve(self, *, container: bool = False, json_logs: bool = False) -> NoReturn:
        """Replace this process with a server of the champion.

        Args:
            container: Run the server's image with docker or podman.
            json_logs: Write log lines as JSON.

        Raises:
            LocalEnvironmentError: The libraries or the image are missing.
        """
        self.context.exec_server(container=container, json_logs=json_logs)

    def api_keys(self) -> "Sequence[ApiKey]":
        """Return the API keys of the server, without their secrets.

        Raises:
            UsageError: The project names no file of API keys, or the file is invalid.
        """
        return self.context.api_keys.keys()

    def add_api_key(self, name: str) -> str:
        """Add an API key, and return it. The file gets only its sha256.

        Raises:
            UsageError: The name is invalid or exists.
            LocalEnvironmentError: The file cannot be written.
        """
        return self.context.api_keys.add(name)

    def remove_api_key(self, name: str) -> None:
        """Remove an API key.

        Raises:
            UsageError: The file has no key with this name.
        """
        self.context.api_keys.remove(name)

    def verify(self) -> "VerificationRun":
        """Verify over HTTP that the running server returns the champion's predictions.

        Wrong predictions are recorded in the store. With the setting `verify.rollback_on_failure`,
        they also cause a rollback.

        Raises:
            BundleError: The champion's bundle is invalid.
            ServerUnreachableError: The server does not answer, so nothing is checked.
        """
        return self.context.verifier.verify()

    def drift(self) -> "DriftReport":
        """Return the differences between the latest rows of the running server and training rows.

        Raises:
            ServerUnreachableError: No server responds, or its answer is invalid.
            UsageError: The server is of an earlier version.
        """
        return self.context.read_drift()

    def wait_until_serving(self, *, timeout: float = 30.0) -> None:
        """Wait until the running server serves the champion.

        Args:
            timeout: Maximum waiting time in seconds.

        Raises:
            ServerUnreachableError: The server does not answer.
            VerificationError: The server still serves another model.
        """
        from housectl.verification.serving import wait_until_serving

        wait_until_serving(self.config.server_url, self.champion().digest, timeout=timeout)

    def sync_registry(self) -> "RegistrySync":
        """Create in the model registry what it lacks of the history.

        `promote`, `rollback` and the rollback of `verify` do the same for at most five seconds.
        Their failures are only reported to `progress`.

        Raises:
            UsageError: The project has no registry.
            RegistryUnavailableError: The registry or its database does not answer.
            RegistryRejectedError: The registry rejects a request.
            BundleError: A bundle is missing or altered.
        """
        report = partial(self.context.reporter.on_share, "registry sync")
        return self.context.registry.sync(report=report)

    def registry_status(self) -> "RegistryComparison":
        """Compare the model registry with the history; change nothing.

        Raises:
            UsageError: The project has no registry.
            RegistryUnavailableError: The registry or its database does not answer.
            RegistryRejectedError: The registry rejects a request.
            BundleError: A bundle is missing or altered.
        """
        report = partial(self.context.reporter.on_share, "registry status")
        return self.context.registry.compare(report=report)

    def run(
        self,
        *,
        from_step: Step | None = None,
        to_step: Step = Step.VERIFY,
        on_step: "Callable[[StepResult], None] | None" = None,
    ) -> "PipelineRun":
        """Tune, promote, wait until the server follows, and verify it.

        A step is skipped if its inputs have not changed since its last success. The store has the
        records of the steps, so other machines skip them too. After a kill, the next call
        continues.

        Args:
            from_step: This step and all later ones run even if nothing has changed.
            to_step: The last step.
            on_step: Receives each skipped step, and each other step at its start and at its end.

        Raises:
            UsageError: `from_step` comes after `to_step`.
            DataError: The data file is unusable.
            TrialTooLongError: A typical trial cannot end within its time limit.
            ModelTooLargeError: A model can be larger than a bundle may be.
            NoUsableTrialError: No trial succeeded.
            ServerUnreachableError: No server responds. The steps before are done.
            VerificationError: The server does not load the champion.

        >>> run = project.run(to_step=Step.PROMOTE)
        >>> [result.action.value for result in run.steps]
        ['done', 'done']
        >>> again = project.run(to_step=Step.PROMOTE)
        >>> [result.action.value for result in again.steps]
        ['skipped', 'skipped']
        """
        from housectl.pipeline.pipeline import Pipeline

        pipeline = Pipeline(context=self.context, from_step=from_step, to_step=to_step)
        return pipeline.run(on_step or (lambda _: None))

    def plan_run(
        self, *, from_step: Step | None = None, to_step: Step = Step.VERIFY
    ) -> "PipelineRun":
        """Return the steps that `run` would run or skip, each with the reason. Change nothing.

        Raises:
            UsageError: `from_step` comes after `to_step`.
            DataError: The data file cannot be read.

        >>> [result.action.value for result in project.plan_run().steps]
        ['planned', 'planned', 'planned', 'planned']
        """
        from housectl.pipeline.pipeline import Pipeline

        return Pipeline(context=self.context, from_step=from_step, to_step=to_step).plan()

    def doctor(self) -> "Iterator[CheckResult]":
        """Check the machine, the project and, for Katib, the cluster.

        >>> [result.name for result in project.doctor()][:2]
        ['python', 'project file']
        """
        from housectl.doctor.runner import run_checks

        return run_checks(self.context.check_context)

    def cluster_setup(
        self, overlay: "Overlay", *, suggestion_image: str | None = None
    ) -> "ClusterSetup":
        """Return the setup of a cluster, whose manifests can be printed or applied.

        Args:
            overlay: The kind of cluster.
            suggestion_image: Image of the suggestion service. Default: the image that `make images`
                pushed last, or the registered one, or `housectl-suggestion:dev`.
        """
        return self.context.cluster_setup(overlay, suggestion_image=suggestion_image)

    def new_experiment_name(self) -> str:
        """Return a name made of the project's name and the time.

        >>> project.new_experiment_name().startswith("boston-20")
        True
        """
        return self.config.default_experiment_name(datetime.now(UTC))

    def _new_experiment(self, name: str | None) -> "Experiment":
        return self.context.experiment(self.new_experiment_name() if name is None else name)
