"""Jobs that a real cluster could not run, and terminations of trainers."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from housectl.backends.katib.diagnosis.job import task_cause
from housectl.kube.objects.base import Condition
from housectl.kube.objects.events import Reference
from housectl.kube.objects.pods import PodVolume, PvcSource, Terminated
from tests.backends.katib.diagnosis.edits import (
    cause_of,
    edit,
    event,
    with_pod,
    with_termination,
)
from tests.backends.katib.diagnosis.recorded_cases import expected_causes, job_case, recorded_names

JOBS = expected_causes("jobs.txt")


@pytest.mark.parametrize(("name", "expected"), JOBS, ids=[name for name, _ in JOBS])
def test_recorded_job(name: str, expected: str) -> None:
    assert cause_of(job_case(name)) == expected


def test_every_recorded_job_has_expected_cause() -> None:
    services = {"service-crash", "service-oom", "service-quota"}
    assert {name for name, _ in JOBS} == recorded_names("kubernetes-1.34") - services


@pytest.mark.parametrize(
    ("exit_code", "message", "lines", "expected"),
    [
        (1, '{"error": "boom", "peak": 5}', ["another line"], "exited 1: boom."),
        (1, '{"peak": 5}', ["first", "boom", "  "], "exited 1: boom."),
        (1, '{"loss": 3}', [], 'exited 1: {"loss": 3}.'),
        (1, '{"schema_version": 99}', [], 'exited 1: {"schema_version": 99}.'),
        (1, "first\nboom\n\n", [], "exited 1: boom."),
        (1, "", [], "exited 1."),
        (127, "", ["sh: 1: python: not found"], "exited 127: sh: 1: python: not found."),
        (124, "", [], "timed out."),
        (124, '{"error": "timed out after 600 s"}', [], "timed out: limit 600 s."),
        (124, "", ["timed out after 1.5 s"], "timed out: limit 1.5 s."),
        (134, "", ["terminate called after throwing 'std::bad_alloc'"], ("out of memory: no limit, "
         "peak unknown.")),
        (1, '{"peak": 104857600}', ["MemoryError"], "out of memory: no limit, peak 100 MiB."),
        (137, "", [], "killed by SIGKILL."),
        (255, "", [], "exited 255."),
    ],
)  # fmt: skip
def test_trainer_termination(exit_code: int, message: str, lines: list[str], expected: str) -> None:
    case = job_case("exit")
    ended = Terminated(exit_code=exit_code, reason="Error", message=message)
    assert cause_of(with_termination(case, ended), *lines).startswith(f"{expected} Hint: ")


@pytest.mark.parametrize(
    ("limit", "readable", "doubled"),
    [
        ("4294967296", "4Gi", "8Gi"),
        ("1500000000", "1431Mi", "2862Mi"),
        ("1.5Gi", "1.5Gi", "3Gi"),
        ("512M", "512M", "1024M"),
    ],
)
def test_memory_limit_in_readable_unit(limit: str, readable: str, doubled: str) -> None:
    case = job_case("oom")
    container = case.pods[0].spec.containers[0]
    resources = edit(container.resources, limits={"memory": limit})
    spec = edit(case.pods[0].spec, containers=[edit(container, resources=resources)])
    assert cause_of(with_pod(case, spec=spec)) == (
        f"out of memory: limit {readable}, peak unknown. Hint: housectl tune --trial-memory "
        f"{doubled}"
    )


def test_inputs_missing_on_pvc() -> None:
    digest = "57bf" * 16
    error = f"The inputs /mnt/models/inputs/{digest} cannot be used: no such file."
    ended = with_termination(job_case("exit"), Terminated(exit_code=5, message=error))
    assert cause_of(ended) == f"exited 5: {error} Hint: housectl logs exit"
    volume = PodVolume(name="models", persistent_volume_claim=PvcSource(claim_name="model-storage"))
    mounted = with_pod(ended, spec=edit(ended.pods[0].spec, volumes=[volume]))
    assert cause_of(mounted) == (
        "the inputs on the PVC model-storage are damaged or missing: no such file. Hint: kubectl "
        f"annotate pvc model-storage housectl/inputs-{digest[:40]}- -n diag   # then housectl tune "
        "uploads them again"
    )


def test_a_long_message_is_cut() -> None:
    ended = Terminated(exit_code=1, message="x" * 1000)
    assert cause_of(with_termination(job_case("exit"), ended)) == (
        f"exited 1: {'x' * 240}… Hint: housectl logs exit"
    )


def test_the_context_stands_in_every_command() -> None:
    case = job_case("quotamiss")
    cause = task_cause(
        case.job,
        case.pods,
        case.events,
        namespace=case.namespace,
        trainer_lines=[],
        now=case.now,
        context="prod",
    )
    assert cause is not None
    assert cause.hint == "kubectl --context prod describe resourcequota small -n diag-quota"


def test_a_job_that_makes_its_first_pod_has_no_cause() -> None:
    case = job_case("exit")
    status = msgspec.structs.replace(case.job.status, conditions=[], active=1)
    fresh = replace(case, job=msgspec.structs.replace(case.job, status=status), pods=[], events=[])
    assert cause_of(fresh) == "None"


def test_event_of_previous_job_with_same_name_is_ignored() -> None:
    case = job_case("quotamiss")
    events = [
        edit(each, involved_object=edit(each.involved_object, uid="old")) for each in case.events
    ]
    job = edit(case.job, metadata=edit(case.job.metadata, uid="new"))
    assert cause_of(replace(case, job=job, events=events)) == "None"


def test_pod_event_of_previous_job_with_same_name_is_ignored() -> None:
    case = job_case("deleteme")
    created = case.job.metadata.creation_timestamp
    assert created is not None
    previous = event("Pod", "deleteme-x7b2q", "Evicted", "the node was low on memory")
    old_event = edit(previous, last_timestamp=created - timedelta(minutes=5))
    assert cause_of(replace(case, events=[*case.events, old_event])) == cause_of(case)


def test_rejection_before_created_pod_is_ignored() -> None:
    case = job_case("quotamiss")
    assert cause_of(case) != "None"
    created = edit(case.events[-1], reason="SuccessfulCreate", message="Created pod: x")
    assert cause_of(replace(case, events=[*case.events, created])) == "None"


def test_resolved_rejection_is_ignored() -> None:
    case, rejected = job_case("exit"), job_case("quotamiss")
    events = [
        msgspec.structs.replace(
            rejected.events[0], involved_object=Reference(kind="Job", name="exit")
        )
    ]
    assert cause_of(replace(case, events=events)) == "exited 3: boom. Hint: housectl logs exit"
    active = msgspec.structs.replace(case.job.status, conditions=[], active=1)
    active_job = msgspec.structs.replace(case.job, status=active)
    assert cause_of(replace(case, job=active_job, pods=[], events=events)) == "None"
    completed = msgspec.structs.replace(
        case.job.status, conditions=[Condition(type="Complete", status="True")]
    )
    ended = replace(
        case, job=msgspec.structs.replace(case.job, status=completed), pods=[], events=events
    )
    assert cause_of(ended) == "None"
