"""The workflow that tests the project: its groups, and the job that every pull request requires."""

import re

import pytest

from tests.docs.pages import make_targets
from tests.workflows.files import WORKFLOWS, Job, load_workflow
from tools.changed_groups import Group
from tools.project_directory import ROOT

JOBS = load_workflow(WORKFLOWS, "ci").jobs


def test_each_group_decides_about_a_job() -> None:
    conditions = " ".join(job.condition for job in JOBS.values())
    for group in Group:
        assert f"needs.changes.outputs.{group} == 'true'" in conditions
    assert JOBS["changes"].fields["outputs"].keys() == {*Group}


def test_required_job_reports_always_and_covers_all_other_jobs() -> None:
    required = JOBS["required"]
    assert required.condition == "always()"
    assert {*required.needs} == JOBS.keys() - {"required"}


def test_conditions_name_needed_jobs() -> None:
    for job in JOBS.values():
        assert {*re.findall(r"needs\.([a-z]\w*)\.", job.condition)} <= {*job.needs}


def test_makefile_divides_the_tests_into_existing_groups() -> None:
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (docs,) = re.findall(r"^DOCS_TESTS := (.*)$", makefile, re.MULTILINE)
    (server,) = re.findall(r"^SERVER_TESTS := (.*)$", makefile, re.MULTILINE)
    for name in [*docs.split(), *server.split()]:
        assert (ROOT / name).exists(), name
    assert {"test-training", "test-server", "test-docs"} <= make_targets()


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_job_has_a_time_limit_and_names_its_permissions(job: Job) -> None:
    assert job.fields["timeout-minutes"] <= 120
    assert {*job.fields["permissions"].items()} <= {("contents", "read")}
