"""Jobs that a real Kubernetes could not run well, and how trainers end."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from housectl.backends.katib.diagnosis.job import task_cause
from housectl.kube.objects.base import Condition
from housectl.kube.objects.events import Reference
from housectl.kube.objects.pods import PvcSource, Terminated, Volume
from tests.backends.katib.diagnosis.edits import changed, ending, event, podded, said
from tests.backends.katib.diagnosis.recorded_cases import job_case, recorded_names, sentences

JOBS = sentences("jobs.txt")


@pytest.mark.parametrize(("name", "expected"), JOBS, ids=[name for name, _ in JOBS])
def test_recorded_job(name: str, expected: str) -> None:
    assert said(job_case(name)) == expected


def test_every_recorded_job_has_its_sentence() -> None:
    services = {"service-crash", "service-oom", "service-quota"}
    assert {name for name, _ in JOBS} == recorded_names("kubernetes-1.34") - services


@pytest.mark.parametrize(
    ("exit_code", "message", "lines", "what"),
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
def test_how_a_trainer_ended(exit_code: int, message: str, lines: list[str], what: str) -> None:
    case = job_case("exit")
    ended = Terminated(exit_code=exit_code, reason="Error", message=message)
    assert said(ending(case, ended), *lines).startswith(f"{what} Hint: ")


@pytest.mark.parametrize(
    ("limit", "told", "more"),
    [
        ("4294967296", "4Gi", "8Gi"),
        ("1500000000", "1431Mi", "2862Mi"),
        ("1.5Gi", "1.5Gi", "3Gi"),
        ("512M", "512M", "1024M"),
    ],
)
def test_the_memory_limit_as_people_write_it(limit: str, told: str, more: str) -> None:
    case = job_case("oom")
    container = case.pods[0].spec.containers[0]
    resources = changed(container.resources, limits={"memory": limit})
    spec = changed(case.pods[0].spec, containers=[changed(container, resources=resources)])
    assert said(podded(case, spec=spec)) == (
        f"out of memory: limit {told}, peak unknown. Hint: housectl tune --trial-memory {more}"
    )


def test_inputs_that_the_claim_has_lost() -> None:
    digest = "57bf" * 16
    error = f"The inputs /mnt/models/inputs/{digest} cannot be used: no such file."
    ended = ending(job_case("exit"), Terminated(exit_code=5, message=error))
    assert said(ended) == f"exited 5: {error} Hint: housectl logs exit"
    claim = Volume(name="models", persistent_volume_claim=PvcSource(claim_name="model-storage"))
    mounted = podded(ended, spec=changed(ended.pods[0].spec, volumes=[claim]))
    assert said(mounted) == (
        "the inputs on the claim model-storage are damaged or gone: no such file. Hint: kubectl "
        f"annotate pvc model-storage housectl/inputs-{digest[:40]}- -n diag   # then housectl tune "
        "brings them again"
    )


def test_a_long_message_is_cut() -> None:
    ended = Terminated(exit_code=1, message="x" * 1000)
    assert said(ending(job_case("exit"), ended)) == (
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
    assert said(fresh) == "None"


def test_a_refusal_of_a_former_job_of_that_name() -> None:
    case = job_case("quotamiss")
    told = [
        changed(each, involved_object=changed(each.involved_object, uid="old"))
        for each in case.events
    ]
    job = changed(case.job, metadata=changed(case.job.metadata, uid="new"))
    assert said(replace(case, job=job, events=told)) == "None"


def test_a_former_job_of_that_name_says_nothing_of_a_pod_that_is_gone() -> None:
    case = job_case("deleteme")
    made = case.job.metadata.creation_timestamp
    assert made is not None
    former = event("Pod", "deleteme-x7b2q", "Evicted", "the node was low on memory")
    told = changed(former, last_timestamp=made - timedelta(minutes=5))
    assert said(replace(case, events=[*case.events, told])) == said(case)


def test_a_refusal_after_which_a_pod_was_made_is_no_cause() -> None:
    case = job_case("quotamiss")
    assert said(case) != "None"
    created = changed(case.events[-1], reason="SuccessfulCreate", message="Created pod: x")
    assert said(replace(case, events=[*case.events, created])) == "None"


def test_a_refusal_that_is_over_is_no_cause() -> None:
    case, refused = job_case("exit"), job_case("quotamiss")
    told = [
        msgspec.structs.replace(
            refused.events[0], involved_object=Reference(kind="Job", name="exit")
        )
    ]
    assert said(replace(case, events=told)) == "exited 3: boom. Hint: housectl logs exit"
    active = msgspec.structs.replace(case.job.status, conditions=[], active=1)
    begun = msgspec.structs.replace(case.job, status=active)
    assert said(replace(case, job=begun, pods=[], events=told)) == "None"
    gone = msgspec.structs.replace(
        case.job.status, conditions=[Condition(type="Complete", status="True")]
    )
    ended = replace(case, job=msgspec.structs.replace(case.job, status=gone), pods=[], events=told)
    assert said(ended) == "None"
