"""The `run:` lines of the jobs, in order, from a search to a verified server behind ssh.

Each job has a clean clone of a repository: this one, or one to which `init --github` has added the
workflows. The store is on an S3 server; the server of the model runs on a host behind sshd. Some
steps run elsewhere, as elsewhere.py lists.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from housectl.pushed_images import PushedImages, write_pushed_images
from tests.deploy.host import GOOD, REPOSITORY, Host, server_host
from tests.deploy.sshd import ssh_server
from tests.spaces import GOOD as SPACE
from tests.test_end_to_end import free_port
from tests.workflows.elsewhere import ELSEWHERE
from tests.workflows.files import WORKFLOWS, Workflow, load_workflow
from tests.workflows.runner import Runner
from tools.project_directory import ROOT, ProjectDirectory
from tools.s3_server import s3_server

pytestmark = [pytest.mark.slow, pytest.mark.sshd]

IMAGE = f"{REPOSITORY}@{GOOD}"
BRANCH = "housectl/champion"

# The steps that the tests of this module run.
EXECUTED = {
    "ci/changes: List the groups of the changed files",
    "ci/required: Require that no job failed",
    "retrain/train: Find housectl on the PATH",
    "retrain/train: Check the project, the cluster and the store",
    "retrain/train: Search and promote",
    "retrain/train: Look for a new champion",
    "retrain/train: Record the images",
    "retrain/propose: Commit the new champion",
    "retrain/propose: Push the branch",
    "deploy/deploy: Find housectl on the PATH",
    "deploy/deploy: Roll out the server image",
    "deploy/deploy: Verify the server",
    "user's check/check: Check the machine, the data and the project file",
    "user's retrain/train: Check the data, the project file and the store",
    "user's retrain/train: Search and promote",
    "user's retrain/train: Look for a new champion",
    "user's retrain/propose: Commit the new champion",
    "user's retrain/propose: Push the branch",
    "user's deploy/deploy: Roll out the server image",
    "user's deploy/deploy: Verify the server",
}


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    process = subprocess.run(
        ["git", *identity, *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return process.stdout.strip()


@dataclass(frozen=True)
class Origin:
    """A repository on the place of GitHub, with its variables, and the machines of its jobs.

    Attributes:
        path: The bare repository.
        workflows: Directory of the workflows.
        details: Path of deploy_details.json in the repository.
        values: Variables and secrets.
        variables: Environment of the runners.
        scratch: Directory for clones.
    """

    path: Path
    workflows: Path
    details: str
    values: Mapping[str, str]
    variables: Mapping[str, str]
    scratch: Path

    def workflow(self, name: str) -> Workflow:
        return load_workflow(self.workflows, name)

    @property
    def is_user(self) -> bool:
        """True for a user's repository."""
        return self.workflows != WORKFLOWS

    def runner(self, name: str, **values: str) -> Runner:
        """Return a runner with a clean clone of the main branch."""
        clone, files = self.scratch / name, self.scratch / f"{name}-files"
        git(self.scratch, "clone", "--quiet", "--branch", "main", str(self.path), str(clone))
        files.mkdir()
        return Runner(
            checkout=clone,
            files=files,
            values={**self.values, **values},
            variables=self.variables,
            elsewhere=ELSEWHERE,
        )


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment of a runner, with a new bucket as HOUSECTL_STORE."""
    with s3_server(tmp_path / "s3") as server:
        yield {
            **server.environment,
            "HOUSECTL_STORE": f"s3://{server.new_bucket()}/houses",
            "HOUSECTL_BACKEND": "local",
            "HOUSECTL_P99_MS": "5000",
        }


@pytest.fixture
def host(variables: Mapping[str, str], tmp_path: Path) -> Iterator[Host]:
    environment = dict(variables)
    with server_host(
        tmp_path / "host", store=environment.pop("HOUSECTL_STORE"), **environment
    ) as host:
        yield host


@pytest.fixture(params=["this repository", "a user's repository"])
def origin(
    request: pytest.FixtureRequest, variables: Mapping[str, str], host: Host, tmp_path: Path
) -> Iterator[Origin]:
    scratch, directory = tmp_path / "scratch", tmp_path / "ssh"
    scratch.mkdir()
    directory.mkdir()
    is_user = request.param == "a user's repository"
    checkout = user_repository(scratch) if is_user else this_repository(scratch)
    git(scratch, "clone", "--quiet", "--bare", str(checkout), "origin.git")
    port = free_port()
    ports = {"DEPLOY_PORT": str(host.port), "TUNNEL_PORT": str(port), "HOUSECTL_PORT": str(port)}
    with ssh_server(directory, command=host.command, forwarded_port=host.port) as ssh:
        yield Origin(
            path=scratch / "origin.git",
            workflows=checkout / ".github" / "workflows" if is_user else WORKFLOWS,
            details="deploy_details.json" if is_user else "deploy/deploy_details.json",
            values={
                "vars.HOUSECTL_STORE": variables["HOUSECTL_STORE"],
                "vars.DEPLOY_HOST": ssh.url,
                "vars.DEPLOY_KNOWN_HOSTS": ssh.known_hosts,
                "vars.SERVER_IMAGE": IMAGE,
                "secrets.DEPLOY_SSH_KEY": ssh.private_key,
                "github.token": "unused",
            },
            variables={**variables, **ports},
            scratch=scratch,
        )


def user_repository(directory: Path) -> Path:
    """Return a repository that had only a CSV file before `init --github`."""
    project = ProjectDirectory(directory / "checkout")
    git(directory, "init", "--quiet", "--initial-branch", "main", str(project.path))
    shutil.copy(ROOT / "data" / "boston.csv", project.path / "houses.csv")
    project.run_ok("init", "--github", "--data", "houses.csv", "--target", "MEDV")
    return commit_with_small_search(project)


def this_repository(directory: Path) -> Path:
    project = ProjectDirectory(directory / "checkout")
    git(directory, "clone", "--quiet", str(ROOT), str(project.path))
    git(project.path, "checkout", "--quiet", "-B", "main")
    return commit_with_small_search(project)


def commit_with_small_search(project: ProjectDirectory) -> Path:
    project.edit_config(family="random-forest", space=SPACE, budget={"trials": 2})
    git(project.path, "add", ".")
    git(project.path, "commit", "--quiet", "--message", "Search less")
    return project.path


def train(origin: Origin, name: str) -> tuple[Runner, Mapping[str, str]]:
    runner = origin.runner(name)
    (runner.checkout / ".venv").symlink_to(ROOT / ".venv")
    images = PushedImages(trainer=IMAGE, server=IMAGE, cli=IMAGE)
    (runner.checkout / ".housectl").mkdir()
    write_pushed_images(runner.checkout / ".housectl" / "images.json", images)
    return runner, runner.run(origin.workflow("retrain"), "train")


def propose(origin: Origin, trained: Runner, outputs: Mapping[str, str]) -> Runner:
    runner = origin.runner("propose", **{f"needs.train.outputs.{k}": v for k, v in outputs.items()})
    for name in artifact(origin):
        shutil.copy(trained.checkout / name, runner.checkout / name)
    runner.run(origin.workflow("retrain"), "propose")
    return runner


def artifact(origin: Origin) -> list[str]:
    """Return the files that the job `train` uploads, and `propose` downloads."""
    steps = origin.workflow("retrain").jobs["train"].steps
    (upload,) = (step for step in steps if "upload-artifact" in step.fields.get("uses", ""))
    text: str = upload.fields["with"]["path"]
    if origin.is_user:
        assert text.split() == ["./verdict.md", "./deploy_details.json"]
        return ["verdict.md", origin.details]
    assert text.split() == ["verdict.md", "deploy/*.json"]
    return ["verdict.md", origin.details, "deploy/images.json"]


def test_new_champion_is_trained_proposed_and_deployed(origin: Origin) -> None:
    trained, outputs = train(origin, "train")
    assert outputs == {"changed": "true"}
    verdict = (trained.checkout / "verdict.md").read_text()
    assert verdict.startswith("| verdict | the challenger is better |")
    assert "\n\n| step | action | reason | outcome |" in verdict
    assert verdict.strip() in (trained.files / "summary").read_text()

    check_repeated_run(trained, origin)

    proposed = propose(origin, trained, outputs)
    changed = git(origin.path, "diff", "--name-only", f"main...{BRANCH}").splitlines()
    assert changed == [origin.details, *([] if origin.is_user else ["deploy/images.json"])]

    git(origin.path, "branch", "--force", "main", BRANCH)
    deployed = origin.runner("deploy")
    (deployed.checkout / ".venv").symlink_to(ROOT / ".venv")
    deployed.run(origin.workflow("deploy"), "deploy")

    again, outputs = train(origin, "again")
    assert outputs == {"changed": ""}
    assert not git(again.checkout, "status", "--porcelain", origin.details)

    prefix = "user's " if origin.is_user else ""
    own = {
        label for label in EXECUTED if label.startswith((f"{prefix}retrain/", f"{prefix}deploy/"))
    }
    assert {*trained.executed, *proposed.executed, *deployed.executed} == own


def check_repeated_run(trained: Runner, origin: Origin) -> None:
    """Check that a run without changes prints its steps, and writes a missing file again."""
    project = ProjectDirectory(trained.checkout)
    details = trained.checkout / origin.details
    promoted = details.read_bytes()
    details.unlink()
    variables = {**origin.variables, "HOUSECTL_DEPLOY_DETAILS": origin.details}
    again = project.run_ok("run", "--to", "promote", "--markdown", "--json", **variables)
    assert again.json["promoted"] is False
    assert str(again.json["document"]).startswith("| step | action | reason | outcome |")
    assert details.read_bytes() == promoted
    plan = project.run_ok("run", "--dry-run", "--to", "promote", "--markdown", **variables)
    assert plan.out.count("| skipped | unchanged since ") == 2


def test_check_of_a_users_repository_runs_the_doctor(tmp_path: Path) -> None:
    checkout = user_repository(tmp_path)
    (tmp_path / "files").mkdir()
    runner = Runner(
        checkout=checkout,
        files=tmp_path / "files",
        values={},
        variables={"HOUSECTL_PORT": str(free_port())},
        elsewhere=ELSEWHERE,
    )
    runner.run(load_workflow(checkout / ".github" / "workflows", "check"), "check")
    assert {*runner.executed} == {label for label in EXECUTED if label.startswith("user's check/")}


def test_changed_groups_and_required_jobs_decide(tmp_path: Path) -> None:
    checkout = this_repository(tmp_path)
    (tmp_path / "files").mkdir()
    ci = load_workflow(WORKFLOWS, "ci")
    values = {
        "github.event.pull_request.base.sha": git(checkout, "rev-parse", "HEAD"),
        "github.event.before": "",
        "contains(needs.*.result, 'failure')": "",
        "contains(needs.*.result, 'cancelled')": "false",
    }
    runner = Runner(
        checkout=checkout,
        files=tmp_path / "files",
        values=values,
        variables={},
        elsewhere=ELSEWHERE,
    )
    assert runner.run(ci, "changes") == dict.fromkeys(
        ("training", "server", "cluster", "docs"), "false"
    )
    runner.run(ci, "required")
    failed = {**values, "contains(needs.*.result, 'failure')": "true"}
    runner.values = failed
    with pytest.raises(AssertionError, match="Require that no job failed"):
        runner.run(ci, "required")
    assert {*runner.executed} == {
        label for label in EXECUTED if label.startswith(("ci/changes", "ci/required"))
    }
