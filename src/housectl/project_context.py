"""The parts that a project's operations share: its settings, store, backend and sealer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from housectl.backend_registry import BACKENDS, DEFAULT_BACKEND
from housectl.errors import UsageError
from housectl.project.override import Override
from housectl.store.base import ChampionStore
from housectl.store.factory import open_store
from housectl.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from housectl.api_key_file import ApiKeyFile
    from housectl.backends.base import Backend, Handle
    from housectl.backends.doctor_check import CheckContext
    from housectl.champion_verification import ChampionVerifier
    from housectl.cluster_setup import ClusterSetup, Overlay
    from housectl.contract.inputs import Inputs
    from housectl.drift import DriftReport
    from housectl.experiment import Experiment
    from housectl.inputs_finder import InputsFinder
    from housectl.project.config import ProjectConfig
    from housectl.promotion import Promoter
    from housectl.registry.mirror import RegistryMirror
    from housectl.reproduction.reproducer import Reproducer
    from housectl.sealed_model import SealedModel
    from housectl.sealing import Sealer
    from housectl.submitted_experiment import SubmittedExperiment
    from housectl.verification.limits import Limits
    from housectl.waiting import ProgressReporter


@dataclass(frozen=True, kw_only=True)
class ProjectContext:
    """Creates each part when an operation first needs it: reading the store needs no settings.

    Attributes:
        settings: Values that replace those of housectl.yaml, by dotted field.
        progress: Receives the progress of experiments; None for silence.
    """

    workspace: Workspace
    settings: Mapping[str, object] = field(default_factory=dict)
    progress: "ProgressReporter | None" = None

    @property
    def reporter(self) -> "ProgressReporter":
        """The receiver of progress and warnings."""
        from housectl.waiting import SilentProgress

        return self.progress or SilentProgress()

    @cached_property
    def store(self) -> ChampionStore:
        """The champion store."""
        return open_store(self.workspace.store, cache=self.workspace.cache)

    @cached_property
    def config(self) -> "ProjectConfig":
        """The content of housectl.yaml, with the settings applied."""
        from housectl.project.config import load_config

        overrides = {
            name: value if isinstance(value, Override) else Override(value, f"setting {name}")
            for name, value in self.settings.items()
        }
        return load_config(self.workspace.project_file, overrides=overrides)

    @cached_property
    def backend(self) -> "Backend":
        """The backend that runs experiments and tasks."""
        from housectl.backends.factory import create_backend

        return create_backend(self._backend_name, lambda: self.config, self.workspace)

    @property
    def _backend_name(self) -> str:
        """Name of the backend; the other settings are read only if it is unknown."""
        setting = self.settings.get("backend")
        name = setting.value if isinstance(setting, Override) else setting
        name = name or self.workspace.backend or DEFAULT_BACKEND
        return name if isinstance(name, str) and name in BACKENDS else self.config.backend

    @cached_property
    def sealer(self) -> "Sealer":
        """The sealer of trials."""
        from housectl.sealing import Sealer

        return Sealer(
            backend=self.backend,
            store=self.store,
            progress=self.reporter,
            temp_root=self.workspace.temp_root,
            repository=self.workspace.root,
            golden=lambda: self.config.golden,
        )

    @property
    def promoter(self) -> "Promoter":
        """The promoter of challengers."""
        from housectl.promotion import Promoter

        return Promoter(
            store=self.store,
            sealer=self.sealer,
            gate=self.config.gate,
            inputs=self.inputs_finder,
            deploy_details=self.deploy_details,
            after_commit=self._after_commit,
        )

    @property
    def deploy_details(self) -> "Path":
        """The file that records the last verdict."""
        return self.workspace.root / self.config.deploy_details

    @property
    def registry(self) -> "RegistryMirror":
        """The mirror of the history in the project's model registry.

        Raises:
            UsageError: The project has no registry, or its token is invalid.
        """
        from housectl.registry.factory import open_mirror

        return open_mirror(self.config, self.store, self.workspace.root)

    @property
    def _after_commit(self) -> "Callable[[], None]":
        from housectl.registry.after_commit import RegistryUpdate, no_update

        if self.config.registry.url is None:
            return no_update
        return RegistryUpdate(open_mirror=lambda: self.registry, warn=self.reporter.on_warning)

    @property
    def data_file(self) -> "Path":
        """Path of the data file."""
        return self.workspace.path_of(self.config.data)

    @property
    def inputs_finder(self) -> "InputsFinder":
        """The finder of the inputs of sealed models."""
        from housectl.inputs_finder import InputsFinder

        return InputsFinder(
            root=self.workspace.inputs,
            backend=self.backend,
            data=self.data_file,
            csv_format=self.config.csv_format,
        )

    @property
    def reproducer(self) -> "Reproducer":
        """The reproducer of bundles."""
        from housectl.reproduction.reproducer import Reproducer

        return Reproducer(
            store=self.store,
            backend=self.backend,
            inputs=self.inputs_finder,
            golden=self.config.golden,
            progress=self.reporter,
            temp_root=self.workspace.temp_root,
        )

    @property
    def verifier(self) -> "ChampionVerifier":
        """The verifier of the running server."""
        from housectl.champion_verification import ChampionVerifier

        return ChampionVerifier(
            promoter=self.promoter,
            url=self.config.server_url,
            limits=self._request_limits,
            rollback_on_failure=self.config.verify.rollback_on_failure,
        )

    def read_drift(self) -> "DriftReport":
        """Return the drift that the running server reports.

        Raises:
            ServerUnreachableError: No server responds, or its answer is invalid.
            UsageError: The server is of an earlier version.
        """
        from housectl.drift import read_drift

        return read_drift(self.config.server_url, limits=self._request_limits)

    @property
    def _request_limits(self) -> "Limits":
        from housectl.verification.limits import Limits

        settings = self.config.verify
        return Limits(
            p99_ms=settings.p99_ms,
            request_seconds=settings.request_timeout,
            answer_bytes=settings.max_answer,
            run_seconds=settings.timeout,
        )

    def experiment(self, name: str) -> "Experiment":
        """Return a new experiment with the project's settings.

        Raises:
            UsageError: The name is invalid.
        """
        from housectl.experiment import check_name

        check_name(name)
        return self.config.experiment(name)

    def estimate_setup_seconds(self) -> float:
        """Estimate the time until the first trial of a new experiment runs."""
        from housectl.contract.data.usable_data import estimate_check_seconds

        return estimate_check_seconds(self.data_file) + BACKENDS[self.config.backend].setup_seconds

    def check_plan(self, experiment: "Experiment", inputs: "Inputs") -> None:
        """Report the estimated time of a new experiment.

        Raises:
            TrialTooLongError: A typical trial of a family cannot end within its time limit.
            ModelTooLargeError: A model can be larger than a bundle may be.
        """
        from housectl.estimation.plan_check import PlanCheck

        reporter = self.reporter
        PlanCheck(is_local=BACKENDS[self.config.backend].is_local).run(
            experiment, inputs, report=reporter.on_estimate, warn=reporter.on_warning
        )

    def run(self, handle: "Handle") -> "SubmittedExperiment":
        """Return the submitted experiment of a handle."""
        from housectl.submitted_experiment import SubmittedExperiment

        return SubmittedExperiment(handle, self.sealer)

    def model(self, digest: str) -> "SealedModel":
        """Return a model of the store.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        from housectl.sealed_model import SealedModel

        return SealedModel(self.store.bundle(digest))

    def exec_server(self, *, container: bool, json_logs: bool) -> NoReturn:
        """Replace this process with a server of the champion."""
        from housectl.server_launch import ServerOptions, exec_server, exec_server_container

        settings = self.config.serve
        keys, log = settings.api_keys_file, settings.prediction_log
        options = ServerOptions(
            host=settings.host,
            port=settings.port,
            poll_interval=settings.poll_interval,
            workers=settings.workers,
            objective_ms=settings.objective_ms,
            shadow=settings.shadow,
            canary=settings.canary,
            canary_percent=settings.percent,
            canary_header=settings.canary_header,
            api_keys_file=self.workspace.root / keys if keys else None,
            root_path=settings.root_path,
            cors_origins=settings.cors_origins,
            access_log=settings.access_log,
            prediction_log=self.workspace.root / log if log else None,
            prediction_log_sample=settings.prediction_log_sample,
            as_json=json_logs,
        )
        if container:
            exec_server_container(self.workspace.store, options, images=self.workspace.images)
        exec_server(self.workspace.store, options)

    @property
    def api_keys(self) -> "ApiKeyFile":
        """The file of the server's API keys.

        Raises:
            UsageError: The project names no file.
        """
        from housectl.api_key_file import ApiKeyFile

        name = self.config.serve.api_keys_file
        if name is None:
            raise UsageError(
                "The project has no file of API keys: `serve.api_keys_file` is not set.",
                hint="housectl keys add web-shop --api-keys-file api-keys",
            )
        return ApiKeyFile(self.workspace.root / name)

    @property
    def check_context(self) -> "CheckContext":
        """The context of doctor's checks."""
        from housectl.backends.doctor_check import CheckContext

        return CheckContext(project=self.config, workspace=self.workspace, inputs=self.write_inputs)

    def cluster_setup(
        self, overlay: "Overlay", *, suggestion_image: str | None = None
    ) -> "ClusterSetup":
        """Return the prerequisites of experiments on Katib."""
        from housectl.backends.katib.factory import suggestion_image as default_image
        from housectl.cluster_setup import ClusterSetup

        katib = self.config.katib
        return ClusterSetup(
            overlay=overlay,
            context=katib.context,
            namespace=katib.namespace,
            pvc=katib.pvc,
            suggestion_image=suggestion_image or default_image(self.config, self.workspace),
        )

    def write_inputs(self) -> "Inputs":
        """Check the data file, and write the inputs directory unless it exists.

        Raises:
            DataError: The data file is unusable.
        """
        from housectl.contract.data.usable_data import read_usable_data
        from housectl.contract.inputs import write_inputs
        from housectl.contract.recipe import gate_of

        config = self.config
        data, schema = self.data_file, config.schema_record
        split, seed, csv_format = config.split_record, config.seed, config.csv_format
        usable = read_usable_data(data, schema, split=split, seed=seed, csv_format=csv_format)
        if dropped := usable.table.dropped:
            target = schema.target.name
            self.reporter.on_warning(
                f"{dropped} rows of {data} were dropped, because they have no value of {target}.",
                f"Add the {target} of these rows where it is known; else nothing is to do.",
            )
        return write_inputs(
            self.workspace.inputs,
            data,
            schema=schema,
            split=split,
            seed=seed,
            folds=config.folds,
            gate=gate_of(len(usable.split.training)),
            csv_format=csv_format,
        )

    def inputs_like(self, inputs: "Inputs") -> "Inputs":
        """Return the inputs that the project's settings make of the data of other inputs.

        Their directory may not exist.
        """
        from housectl.contract.inputs import with_settings

        config = self.config
        return with_settings(
            inputs,
            schema=config.schema_record,
            split=config.split_record,
            seed=config.seed,
            folds=config.folds,
        )

    def data_digest(self) -> str:
        """Return the digest of the data, as recipes have it.

        Raises:
            DataError: The data file cannot be read.
        """
        from housectl.contract.data.canonical_csv import canonical_digest

        config = self.config
        return canonical_digest(
            self.data_file,
            config.schema_record,
            config.split_record,
            config.csv_format,
        )
