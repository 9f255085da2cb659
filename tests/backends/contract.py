"""The contract of every backend. Tests of a backend inherit `BackendContract`."""

from dataclasses import replace
from pathlib import Path

import pytest

from housectl.backends.base import Backend, Handle, Snapshot
from housectl.contract.bundle import read_bundle
from housectl.contract.checksum import verified_digest
from housectl.contract.evidence import EVIDENCE_FILE, Evidence
from housectl.contract.families import Family
from housectl.contract.files import file_digest
from housectl.contract.inputs import RECIPE_FILE, Inputs
from housectl.contract.metrics import METRICS_FILE, Metrics, read_metric_line
from housectl.contract.recipe import Recipe
from housectl.errors import AlreadyExistsError, BundleError, UnknownExperimentError, UsageError
from housectl.experiment import Budget, ExperimentState, Trial, TrialState, best_trial
from tests.backends.workloads import (
    experiment,
    failing_experiment,
    finished_trials,
    results_of,
    seal_task,
    submit,
    wait_for_end,
    wait_until,
    wait_until_finished,
)

LONG_BUDGET = Budget(trials=1000)


class BackendContract:
    """A module with a subclass defines a fixture `backend` of module scope."""

    @pytest.fixture
    def best(self, backend: Backend, ended_search: Handle) -> Trial:
        trial = best_trial(backend.observe(ended_search).trials)
        assert trial is not None
        return trial

    def test_plan_is_pure(self, backend: Backend, inputs: Inputs) -> None:
        work = experiment("only-planned")
        plan = backend.plan(work, inputs=inputs, image=None)
        assert plan.workload == work
        assert str(plan) == str(backend.plan(work, inputs=inputs, image=None))
        assert "max_features" in str(plan)
        with pytest.raises(UnknownExperimentError):
            backend.handle("only-planned")

    def test_recorded_plan_equals_submitted_plan(
        self, backend: Backend, ended_search: Handle, inputs: Inputs
    ) -> None:
        plan = backend.plan(experiment("ended"), inputs=inputs, image="housectl-trainer:dev")
        assert backend.get_plan(ended_search).workload == plan.workload
        assert str(backend.get_plan(ended_search)) == str(plan)

    def test_recorded_inputs_equal_submitted_inputs(
        self, backend: Backend, ended_search: Handle, inputs: Inputs
    ) -> None:
        submitted = backend.get_inputs(ended_search)
        assert (submitted.digest, submitted.shared) == (inputs.digest, inputs.shared)
        assert submitted.data.read_bytes() == inputs.data.read_bytes()

    def test_search_ends_with_all_trials(self, backend: Backend, ended_search: Handle) -> None:
        snapshot = backend.observe(ended_search)
        assert snapshot.state is ExperimentState.SUCCEEDED
        assert [trial.number for trial in snapshot.trials] == [0, 1, 2, 3]
        assert {trial.state for trial in snapshot.trials} == {TrialState.SUCCEEDED}
        assert snapshot.started is not None
        assert snapshot.finished is not None
        assert snapshot.started < snapshot.finished

    def test_assignments_are_in_search_space(self, backend: Backend, ended_search: Handle) -> None:
        assignments = [trial.assignment for trial in backend.observe(ended_search).trials]
        assert len({str(assignment) for assignment in assignments}) == 4
        for assignment in assignments:
            assert assignment.keys() == {"max_features", "min_samples_leaf", "n_estimators"}
            assert assignment["n_estimators"] == 20
            assert 0.15 <= float(assignment["max_features"]) <= 1
            assert assignment["min_samples_leaf"] in range(1, 9)

    def test_handle_accepts_name_and_url(self, backend: Backend, ended_search: Handle) -> None:
        assert ended_search.name == "ended"
        assert backend.handle("ended") == backend.handle(ended_search.url) == ended_search

    def test_unknown_experiment_is_rejected_with_hint(self, backend: Backend) -> None:
        with pytest.raises(UnknownExperimentError) as caught:
            backend.handle("never-was")
        assert caught.value.hint.startswith("housectl list")

    def test_name_in_use_is_rejected(
        self, backend: Backend, ended_search: Handle, inputs: Inputs
    ) -> None:
        before = backend.observe(ended_search)
        with pytest.raises(AlreadyExistsError) as caught:
            submit(backend, experiment("ended"), inputs)
        assert "housectl delete ended" in caught.value.hint
        assert backend.observe(ended_search) == before

    def test_trial_logs_its_objective(
        self, backend: Backend, ended_search: Handle, best: Trial
    ) -> None:
        assert best.mse in [
            read_metric_line(line) for line in backend.logs(ended_search, best.name)
        ]

    def test_fetch_copies_model_metrics_and_recipe(
        self, backend: Backend, ended_search: Handle, best: Trial, tmp_path: Path
    ) -> None:
        output = backend.fetch(ended_search, best.name, tmp_path / "trial")
        assert output == tmp_path / "trial"
        assert Metrics.from_json((output / METRICS_FILE).read_bytes()).mse == best.mse
        recipe = Recipe.from_json((output / RECIPE_FILE).read_bytes())
        assert recipe.assignment == best.assignment
        model = output / Family.RANDOM_FOREST.definition.native_file
        assert model.stat().st_size > 0
        assert verified_digest(model) == file_digest(model)

    def test_unknown_trial_is_rejected(
        self, backend: Backend, ended_search: Handle, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="never-was"):
            list(backend.logs(ended_search, "never-was"))
        with pytest.raises(UsageError, match="never-was"):
            backend.fetch(ended_search, "never-was", tmp_path / "trial")
        assert list(tmp_path.iterdir()) == []

    def test_wait_returns_when_snapshot_is_outdated(
        self, backend: Backend, ended_search: Handle
    ) -> None:
        backend.wait(ended_search, Snapshot(state=ExperimentState.RUNNING), timeout=3600)

    def test_wait_returns_after_timeout(self, backend: Backend, ended_search: Handle) -> None:
        backend.wait(ended_search, backend.observe(ended_search), timeout=0.1)

    def test_stop_and_resume_keep_finished_search(
        self, backend: Backend, ended_search: Handle
    ) -> None:
        before = backend.observe(ended_search)
        backend.stop(ended_search)
        backend.resume(ended_search)
        assert backend.observe(ended_search) == before

    def test_delete_outputs_keeps_objectives(
        self, backend: Backend, inputs: Inputs, tmp_path: Path
    ) -> None:
        handle = submit(backend, experiment("discarded", budget=Budget(trials=2)), inputs)
        before = wait_for_end(backend, handle)
        backend.delete_outputs(handle, [before.trials[1].name])
        assert backend.observe(handle) == before
        with pytest.raises(BundleError):
            backend.fetch(handle, before.trials[1].name, tmp_path / "gone")
        backend.fetch(handle, before.trials[0].name, tmp_path / "there")

    def test_stopped_search_resumes(self, backend: Backend, inputs: Inputs) -> None:
        handle = submit(backend, experiment("stopped", budget=Budget(trials=6)), inputs)
        wait_until_finished(backend, handle, 2)
        backend.stop(handle)
        stopped = backend.observe(handle)
        assert stopped.state is ExperimentState.STOPPED
        assert len(finished_trials(stopped)) >= 2
        backend.stop(handle)
        assert backend.observe(handle) == stopped
        backend.resume(handle)
        resumed = wait_for_end(backend, handle)
        assert resumed.state is ExperimentState.SUCCEEDED
        assert [trial.number for trial in resumed.trials] == list(range(6))
        assert set(map(str, results_of(stopped))) <= set(map(str, results_of(resumed)))

    def test_failing_trials_fail_search_with_their_cause(
        self, backend: Backend, inputs: Inputs
    ) -> None:
        handle = submit(backend, failing_experiment("failing"), inputs)
        snapshot = wait_for_end(backend, handle)
        assert snapshot.state is ExperimentState.FAILED
        assert len(snapshot.trials) >= 2
        assert all("n_leaves" in (trial.cause or "") for trial in snapshot.trials)
        assert "n_leaves" in (snapshot.reason or "")
        assert any("n_leaves" in line for line in backend.logs(handle, snapshot.trials[0].name))

    def test_running_search_is_deleted(self, backend: Backend, inputs: Inputs) -> None:
        handle = submit(backend, experiment("deleted", budget=LONG_BUDGET), inputs)
        wait_until(backend, handle, lambda snapshot: len(snapshot.trials) >= 1)
        backend.delete(handle)
        backend.delete(handle)
        assert handle not in backend.handles()
        with pytest.raises(UnknownExperimentError):
            backend.observe(handle)
        again = submit(backend, experiment("deleted", budget=Budget(trials=1)), inputs)
        assert len(wait_for_end(backend, again).trials) == 1

    def test_seal_task_creates_bundle_of_same_model(
        self, backend: Backend, ended_search: Handle, best: Trial, inputs: Inputs, tmp_path: Path
    ) -> None:
        trial = backend.fetch(ended_search, best.name, tmp_path / "trial")
        model = file_digest(trial / best.family.definition.native_file)
        task = replace(
            seal_task("seal", best.assignment, model_sha256=model),
            experiment=ended_search.name,
            trial=best.name,
        )
        handle = submit(backend, task, inputs)
        assert wait_for_end(backend, handle).state is ExperimentState.SUCCEEDED
        output = backend.fetch(handle, None, tmp_path / "sealed")
        bundle = read_bundle(output / "bundle")
        evidence = Evidence.from_json((output / EVIDENCE_FILE).read_bytes())
        assert evidence.recipe == bundle.record.recipe
        assert bundle.record.provenance.experiment == ended_search.name
        assert bundle.record.provenance.trial == best.name
        assert list(backend.logs(handle, None))
        assert handle not in backend.handles()
        assert backend.get_plan(handle).workload == task
        assert backend.handle("seal") == handle
        assert (backend.image_digest(handle) or "sha256:").startswith("sha256:")

    def test_failed_task_has_reason_and_is_retried(self, backend: Backend, inputs: Inputs) -> None:
        handle = submit(backend, seal_task("wrong-seal", {"n_leaves": 3}), inputs)
        failed = wait_for_end(backend, handle)
        assert failed.state is ExperimentState.FAILED
        assert "n_leaves" in (failed.reason or "")
        backend.resume(handle)
        again = wait_for_end(backend, handle)
        assert again.state is ExperimentState.FAILED
        assert (again.finished or 0) > (failed.finished or 0)

    def test_newest_experiment_is_listed_first(
        self, backend: Backend, ended_search: Handle, inputs: Inputs
    ) -> None:
        newest = submit(backend, experiment("newest", budget=LONG_BUDGET), inputs)
        handles = backend.handles()
        backend.delete(newest)
        assert handles[0] == newest
        assert ended_search in handles
