"""Manifests of experiments and tasks, and validation of plans."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from housectl.backends.base import Task, TrainerRecord, Workload
from housectl.backends.katib.backend import KatibBackend
from housectl.backends.katib.plan.katib_plan import KatibPlan
from housectl.backends.katib.plan.manifest import experiment_manifest
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.plan.sub_experiments import MAX_NAME_LENGTH, sub_experiments
from housectl.backends.katib.plan.validation import validate_plan
from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.errors import UsageError
from housectl.experiment import (
    Budget,
    Experiment,
    Limits,
    Parameter,
    ParameterKind,
    SearchSpace,
)
from housectl.kube.client import Kube
from housectl.project.fields import KatibSettings
from housectl.search.katib_texts import ALGORITHM, SEARCH_SETTING, EarlierTrial, SearchSetting
from housectl.search.sampler import SAMPLER_VERSION
from housectl.search_spaces import default_space
from tests.backends.workloads import SMALL_FOREST, experiment, seal_task

SETTINGS = KatibSettings(
    namespace="houses",
    pvc="models",
    image="trainer:1",
    algorithm="bayesianoptimization",
    cpu="500m",
    memory=512 * 2**20,
)
AUTO = Experiment(
    name="all",
    spaces={family: default_space(family) for family in Family},
    budget=Budget(trials=31, max_failed=3),
    limits=Limits(seconds=90.5, memory=2 * 2**30),
    workers=4,
    seed=5,
)
OWN = replace(SETTINGS, algorithm=ALGORITHM)

Json = Mapping[str, Any]


def plan_of(work: Workload, inputs: Inputs, settings: KatibSettings = SETTINGS) -> KatibPlan:
    # No cluster has that name: planning must work offline.
    kube = Kube("nowhere", settings.namespace)
    backend = KatibBackend(kube, settings=settings, inputs=Path("inputs"))
    return backend.plan(work, inputs=inputs, image=None)


def rendered(work: Workload, inputs: Inputs, settings: KatibSettings = SETTINGS) -> list[Json]:
    return list(yaml.safe_load_all(str(plan_of(work, inputs, settings))))


def pod_of(manifest: Json) -> Json:
    job = manifest["spec"].get("trialTemplate", {}).get("trialSpec", manifest)
    pod: Json = job["spec"]["template"]["spec"]
    return pod


def with_parameter(**changes: object) -> Experiment:
    parameter = Parameter(name="max_features", kind=ParameterKind.DOUBLE, minimum=0.1, maximum=1.0)
    return experiment("odd", space=SearchSpace(parameters=(replace(parameter, **changes),)))  # type: ignore[arg-type]


def test_experiment_leaves_no_default_to_katib(inputs: Inputs) -> None:
    (manifest,) = rendered(experiment("one", budget=Budget(trials=12, max_failed=2)), inputs)
    spec = manifest["spec"]
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("Experiment", "one")
    assert manifest["metadata"]["namespace"] == "houses"
    assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"] == "one"
    assert spec["objective"] == {"type": "minimize", "objectiveMetricName": "mse"}
    assert spec["algorithm"]["algorithmName"] == "bayesianoptimization"
    assert (spec["maxTrialCount"], spec["parallelTrialCount"], spec["maxFailedTrialCount"]) == (
        12,
        2,
        2,
    )
    assert spec["trialTemplate"]["retain"] is True
    assert spec["trialTemplate"]["trialSpec"]["spec"]["backoffLimit"] == 0


def test_every_parameter_is_in_template_and_command(inputs: Inputs) -> None:
    (manifest,) = rendered(experiment("mapped"), inputs)
    template = manifest["spec"]["trialTemplate"]
    names = [each["name"] for each in manifest["spec"]["parameters"]]
    references = {each["reference"]: each["name"] for each in template["trialParameters"]}
    assert references.keys() == {*names, "${trialSpec.Name}"}
    command = " ".join(pod_of(manifest)["containers"][0]["command"])
    for name in references.values():
        assert f"${{trialParameters.{name}}}" in command
    assert "n_estimators=20" in command
    bounds = [each["feasibleSpace"] for each in manifest["spec"]["parameters"]]
    assert bounds == [{"min": "0.15", "max": "1"}, {"min": "1", "max": "8"}]


def test_strict_security_settings_are_on_the_container(inputs: Inputs) -> None:
    for work in (experiment("strict"), seal_task("seal", {"n_estimators": 5})):
        (manifest,) = rendered(work, inputs)
        pod = pod_of(manifest)
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        # Katib's collector, which shares the pod, has to be root.
        assert "runAsNonRoot" not in pod["securityContext"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == "models"
        assert container["command"]


def test_trainer_deadline_is_before_job_deadline(inputs: Inputs) -> None:
    manifest, *_ = rendered(AUTO, inputs)
    job = manifest["spec"]["trialTemplate"]["trialSpec"]["spec"]
    command = pod_of(manifest)["containers"][0]["command"]
    assert command[command.index("--deadline") + 1] == "90.5"
    assert job["activeDeadlineSeconds"] == 91 + 1800
    resources = pod_of(manifest)["containers"][0]["resources"]
    assert resources["requests"] == {"cpu": "500m", "memory": "512Mi"}
    assert resources["limits"] == {"cpu": "1", "memory": "2Gi"}


def test_missing_limits_are_left_out(inputs: Inputs) -> None:
    free = replace(experiment("free"), limits=Limits())
    (manifest,) = rendered(free, inputs)
    assert "activeDeadlineSeconds" not in manifest["spec"]["trialTemplate"]["trialSpec"]["spec"]
    container = pod_of(manifest)["containers"][0]
    assert "--deadline" not in container["command"]
    assert "memory" not in container["resources"]["limits"]


@pytest.mark.parametrize(
    ("trials", "initial"),
    [(1, "1"), (4, "2"), (10, "5"), (11, "5"), (12, "6"), (19, "9"), (20, "10"), (50, "10")],
)
def test_half_of_the_budget_but_at_most_ten_trials_are_random(
    trials: int, initial: str, inputs: Inputs
) -> None:
    (manifest,) = rendered(experiment("small", budget=Budget(trials=trials)), inputs)
    settings = {
        each["name"]: each["value"] for each in manifest["spec"]["algorithm"]["algorithmSettings"]
    }
    assert settings["n_initial_points"] == initial
    assert manifest["spec"]["parallelTrialCount"] <= trials
    assert manifest["spec"]["maxFailedTrialCount"] <= trials


def test_families_share_the_budget(inputs: Inputs) -> None:
    manifests = rendered(AUTO, inputs)
    assert [each["metadata"]["name"] for each in manifests] == ["all-linear", "all-rf", "all-xgb"]
    assert [each["spec"]["maxTrialCount"] for each in manifests] == [7, 12, 12]
    assert [each["spec"]["parallelTrialCount"] for each in manifests] == [1, 2, 1]
    assert len({json.dumps(each["spec"]["algorithm"]) for each in manifests}) == 3


def test_each_family_of_the_smallest_search_has_a_trial_and_a_worker(inputs: Inputs) -> None:
    smallest = replace(AUTO, budget=Budget(trials=len(Family)), workers=1)
    for each in rendered(smallest, inputs):
        assert each["spec"]["maxTrialCount"] == each["spec"]["parallelTrialCount"] == 1


def test_own_algorithm_searches_all_families_in_one_experiment(inputs: Inputs) -> None:
    (manifest,) = rendered(AUTO, inputs, OWN)
    spec = manifest["spec"]
    assert manifest["metadata"]["name"] == "all"
    assert (spec["maxTrialCount"], spec["parallelTrialCount"]) == (31, 4)
    assert spec["objective"]["additionalMetricNames"] == ["pruned_after"]
    spaces = {each["name"]: each["feasibleSpace"] for each in spec["parameters"]}
    assert spaces["family"] == {"list": ["linear", "random-forest", "xgboost"]}
    assert spaces["rival"] == {"list": ["none"]}
    assert spaces["random-forest.min_samples_leaf"] == {"min": "1", "max": "8"}
    assert spaces["linear.alpha"]["distribution"] == "logUniform"
    command = pod_of(manifest)["containers"][0]["command"]
    assert command[command.index("--family") + 1] == "${trialParameters.family}"
    assert command[command.index("--rival") + 1] == "${trialParameters.rival}"
    assert "random-forest.n_estimators=300" in command
    assert "linear.alpha=${trialParameters.linear.alpha}" in command


def test_own_algorithm_names_parameters_of_one_family_plainly(inputs: Inputs) -> None:
    (manifest,) = rendered(experiment("one"), inputs, OWN)
    names = [each["name"] for each in manifest["spec"]["parameters"]]
    assert names == ["family", "rival", "max_features", "min_samples_leaf"]


def test_own_algorithm_gets_search_and_earlier_trials(inputs: Inputs) -> None:
    plan = plan_of(AUTO, inputs, OWN)
    earlier = [
        EarlierTrial(number=0, assignment={"alpha": 0.1}, mse=9.5),
        EarlierTrial(number=1, assignment={"max_features": 0.5}),
    ]
    (second,) = sub_experiments(AUTO, algorithm=ALGORITHM, ended={None: 2}, generation=2)
    manifest: Any = experiment_manifest(plan.record, AUTO, second, earlier=earlier)
    (setting,) = manifest["spec"]["algorithm"]["algorithmSettings"]
    assert setting["name"] == SEARCH_SETTING
    search = SearchSetting.from_json(setting["value"].encode())
    assert search == SearchSetting(sampler=SAMPLER_VERSION, experiment=AUTO, earlier=tuple(earlier))
    assert manifest["spec"]["maxTrialCount"] == 29
    assert manifest["spec"]["maxFailedTrialCount"] == 2


@pytest.mark.parametrize(("ended", "parallel"), [(range(5), 4), ([0, 1, 2, *range(4, 11)], 1)])
def test_resumed_search_starts_with_trials_that_depend_on_ended_ones(
    inputs: Inputs, ended: Sequence[int], parallel: int
) -> None:
    plan = plan_of(AUTO, inputs, OWN)
    earlier = [EarlierTrial(number=number, assignment={}) for number in ended]
    (second,) = sub_experiments(AUTO, algorithm=ALGORITHM, generation=2)
    manifest: Any = experiment_manifest(plan.record, AUTO, second, earlier=earlier)
    assert manifest["spec"]["parallelTrialCount"] == parallel


def test_steps_and_choices_are_declared(inputs: Inputs) -> None:
    space = SearchSpace(
        parameters=(
            Parameter(
                name="max_features", kind=ParameterKind.DOUBLE, minimum=0.0, maximum=1.0, step=0.25
            ),
            Parameter(
                name="criterion",
                kind=ParameterKind.CATEGORICAL,
                choices=("squared_error", "absolute_error"),
            ),
        )
    )
    work = experiment("steps", space=space)
    (manifest,) = rendered(work, inputs, OWN)
    _, _, stepped, chosen = manifest["spec"]["parameters"]
    assert stepped["feasibleSpace"] == {"min": "0", "max": "1", "step": "0.25"}
    assert chosen["feasibleSpace"] == {"list": ["squared_error", "absolute_error"]}
    validate_plan(plan_of(work, inputs, OWN))


def test_own_algorithm_needs_no_range(inputs: Inputs) -> None:
    fixed = experiment("fixed", space=SearchSpace(parameters=(), fixed={"max_depth": 3}))
    validate_plan(plan_of(fixed, inputs, OWN))


def test_search_larger_than_an_object_is_rejected(inputs: Inputs) -> None:
    small = replace(experiment("small"), budget=Budget(trials=2000))
    validate_plan(plan_of(small, inputs, OWN))
    large = replace(AUTO, budget=Budget(trials=20_000))
    with pytest.raises(UsageError, match=r"has room for [\d,]+ of 20,000 trials"):
        validate_plan(plan_of(large, inputs, OWN))
    validate_plan(plan_of(large, inputs))


def test_next_generation_has_the_remaining_budget_and_new_names() -> None:
    ended: dict[Family | None, int] = {
        Family.LINEAR: 7,
        Family.RANDOM_FOREST: 6,
        Family.XGBOOST: 12,
    }
    remaining = sub_experiments(AUTO, algorithm="random", ended=ended, generation=2)
    assert [(each.name, each.budget.trials) for each in remaining] == [("all-rf-2", 6)]
    all_families = sub_experiments(AUTO, algorithm="random")
    assert sum(each.budget.trials for each in all_families) == AUTO.budget.trials
    (single,) = sub_experiments(AUTO, algorithm=ALGORITHM, ended={None: 25}, generation=2)
    assert (single.name, single.budget.trials, single.workers) == ("all-2", 6, 4)


def test_long_name_is_cut_for_the_generation_number() -> None:
    name = "a" * MAX_NAME_LENGTH
    for algorithm in (ALGORITHM, "random"):
        (resumed,) = sub_experiments(experiment(name), algorithm=algorithm, generation=12)
        assert resumed.name == f"{name[:-3]}-12"
    auto = sub_experiments(replace(AUTO, name=name), algorithm="random", generation=12)
    assert [each.name for each in auto] == [
        f"{name[:-10]}-linear-12",
        f"{name[:-6]}-rf-12",
        f"{name[:-7]}-xgb-12",
    ]


def test_annotation_contains_the_whole_plan(inputs: Inputs) -> None:
    for work in (experiment("kept"), seal_task("seal", {"n_estimators": 5}, model_sha256="ab")):
        plan = plan_of(work, inputs)
        for manifest in yaml.safe_load_all(str(plan)):
            text = manifest["metadata"]["annotations"]["housectl/plan"]
            read = KatibPlan(KatibPlanRecord.from_json(text.encode()))
            assert read.workload == work
            assert str(read) == str(plan)


@pytest.mark.parametrize(
    ("work", "problem"),
    [
        (with_parameter(minimum=0.0), "logarithmic scale"),
        (with_parameter(minimum=2.0), "must be greater than min"),
        (
            with_parameter(minimum=None, maximum=None, kind=ParameterKind.CATEGORICAL),
            "has no choices",
        ),
        (
            with_parameter(
                minimum=None, maximum=None, kind=ParameterKind.CATEGORICAL, choices=("a b", "c")
            ),
            "a shell would change",
        ),
        (
            experiment("fixed", space=SearchSpace(parameters=(), fixed={"max_depth": 3})),
            "has no parameter",
        ),
        (
            experiment(
                "quoted", space=replace(SMALL_FOREST, fixed={"criterion": "squared_error;reboot"})
            ),
            "a shell would change",
        ),
        (replace(AUTO, name="a" * 38), "longer than 40 characters"),
        (replace(seal_task("seal", {}), name="s" * 64), "longer than 63 characters"),
    ],
)
def test_validation_rejects_plans_that_katib_would_hang_on(
    work: Workload, problem: str, inputs: Inputs
) -> None:
    with pytest.raises(UsageError, match=problem):
        validate_plan(plan_of(work, inputs))


def test_other_algorithms_accept_ranges_from_zero(inputs: Inputs) -> None:
    settings = replace(SETTINGS, algorithm="random")
    validate_plan(plan_of(with_parameter(minimum=0.0), inputs, settings))


def test_validation_accepts_good_plans(inputs: Inputs) -> None:
    for work in (AUTO, experiment("good"), seal_task("seal", {"n_estimators": 5})):
        validate_plan(plan_of(work, inputs))


def test_task_has_its_provenance(inputs: Inputs) -> None:
    task: Task = replace(
        seal_task("seal", {"n_estimators": 5}, model_sha256="ab"), experiment="one", trial="one-x"
    )
    (manifest,) = rendered(task, inputs)
    assert (manifest["kind"], manifest["metadata"]["name"]) == ("Job", "seal")
    command = " ".join(pod_of(manifest)["containers"][0]["command"])
    for option in ("--model-sha256 ab", "--experiment one", "--trial one-x", "--backend katib"):
        assert option in command


# These fields are pointers in Go, so an empty value differs from an absent one.
MAY_BE_EMPTY = {
    "backoffLimit",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "allowPrivilegeEscalation",
    "emptyDir",
}


def empty_fields(value: object, name: str = "") -> set[str]:
    if isinstance(value, dict) and value:
        return set().union(*(empty_fields(item, key) for key, item in value.items()))
    if isinstance(value, list) and value:
        return set().union(*(empty_fields(item, name) for item in value))
    return set() if value else {name}


def test_job_has_no_empty_field_that_go_omits(inputs: Inputs) -> None:
    """Katib rejects an Experiment if Go's types omit a field of its job."""
    for manifest in rendered(AUTO, inputs):
        job = manifest["spec"]["trialTemplate"]["trialSpec"]
        assert empty_fields(job) == MAY_BE_EMPTY


@pytest.mark.parametrize("recorded", ["trainer@sha256:0", "trainer:0", None])
def test_task_runs_recorded_image(inputs: Inputs, recorded: str | None) -> None:
    kube = Kube("nowhere", SETTINGS.namespace)
    backend = KatibBackend(kube, settings=SETTINGS, inputs=Path("inputs"))
    trainer = TrainerRecord(lock=None, libraries={}, image=recorded)
    task = seal_task("seal", {"n_estimators": 5})
    backend = backend.with_trainer(trainer, report=print, warn=print)
    plan = backend.plan(task, inputs=inputs, image=None)
    assert plan.image == (recorded or SETTINGS.image)
