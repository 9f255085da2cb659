"""The documentation is true: what it shows runs, what it links to is there, what it lists is all.

A page's commands, the lines of its console blocks that begin with `$ `, run in order in a copy of a
project with a champion, a challenger and houses.csv. Each must end with status 0, or with that of a
comment such as `# status 10`. A server that is started runs until the page's end. Those of its
shell-session blocks run on a cluster, in cluster/test_docs.py.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import get_args, get_origin

import pytest
import yaml
from pydantic.fields import FieldInfo

from housectl.cli.settings import SETTINGS, env_var
from housectl.contract.families import Family
from housectl.errors import ExitStatus, HousectlError
from housectl.project.config import ProjectConfig, load_config
from tests.test_end_to_end import free_port, serving
from tools.project_directory import HOUSECTL, ROOT, ProjectDirectory, clean_environment

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCS = ROOT / "docs"

# What is shown in blocks of these languages is run, here or on a cluster.
HERE, CLUSTER = "console", "shell-session"

# Shown and not run, since each would install housectl anew; what they name is checked instead.
MAKE = re.compile(r"make (\S+)")

BLOCK = re.compile(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\$ (?P<command>.*?)(?:\s+# status (?P<status>\d+).*)?")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def named(page: Path) -> str:
    return page.name


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text()) if found == language]


def commands(page: Path, language: str = HERE) -> Iterator[tuple[str, int]]:
    for block in blocks(page, language):
        for line in block.splitlines():
            if match := COMMAND.fullmatch(line):
                yield match["command"], int(match["status"] or 0)


def sections(page: Path) -> dict[str, str]:
    """Return the text of each section by its heading."""
    _, *parts = re.split(r"^## (.*)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(page: Path, first: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this name."""
    lines = page.read_text().splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {first} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.fixture
def project(project_with_challenger: ProjectDirectory, tmp_path: Path) -> ProjectDirectory:
    project = project_with_challenger.copy(tmp_path / "boston")
    data = (project.path / "data.csv").read_text()
    (project.path / "houses.csv").write_text(data.replace("MEDV", "price", 1))
    return project


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(port: int, tmp_path: Path) -> Mapping[str, str]:
    # A refusal by the server must not look like success, and no proxy leads to this machine.
    (tmp_path / ".curlrc").write_text('fail-with-body\nnoproxy = "*"\n')
    return clean_environment() | {
        "PATH": f"{HOUSECTL.parent}{os.pathsep}{os.environ['PATH']}",
        "CURL_HOME": str(tmp_path),
        "HOUSECTL_PORT": str(port),
        "HOUSECTL_TRIALS": "2",
        "HOUSECTL_P99_MS": "5000",
    }


@pytest.mark.parametrize("page", [page for page in PAGES if [*commands(page)]], ids=named)
def test_what_a_page_shows_runs(
    page: Path, project: ProjectDirectory, port: int, environment: Mapping[str, str]
) -> None:
    with ExitStack() as servers:
        for command, status in commands(page):
            if MAKE.fullmatch(command):
                continue
            if command == "housectl serve":
                servers.enter_context(serving(project, port))
                continue
            ended = bash(command.replace(":8005", f":{port}"), project, environment)
            assert ended.returncode == status, f"{command}\n{ended.stdout}{ended.stderr}"


def test_the_workflow_of_the_readme_runs(
    project: ProjectDirectory, port: int, environment: Mapping[str, str]
) -> None:
    (workflow,) = (yaml.safe_load(block) for block in blocks(ROOT / "README.md", "yaml"))
    (job,) = workflow["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert "housectl promote" in " ".join(steps)
    project.run_ok("promote")
    with serving(project, port):
        for step in steps:
            ended = bash(step, project, environment)
            assert ended.returncode == 0, f"{step}\n{ended.stdout}{ended.stderr}"


def test_the_workflows_name_what_there_is() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for path in (ROOT / ".github" / "workflows").glob("*.yaml"):
        jobs = yaml.safe_load(path.read_text())["jobs"].values()
        steps = " ".join(step.get("run", "") for job in jobs for step in job["steps"])
        settings = " ".join(" ".join(job.get("env", {}).values()) for job in jobs)
        assert set(re.findall(r"make ([a-z-]+)", steps)) <= set(targets)
        for named in re.findall(r"tests/\S+", steps + settings):
            assert (ROOT / named).exists(), named


def bash(
    command: str, project: ProjectDirectory, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=project.path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_digests_are_checked_by_the_python_that_is_shown(project: ProjectDirectory) -> None:
    (script,) = blocks(DOCS / "formats.md", "python")
    assert python(script, project).returncode == 0
    record = next(project.store.glob("bundles/*/bundle.json"))
    record.write_text(record.read_text().replace('"seed": 42', '"seed": 43'))
    assert "assert bundle.name" in python(script, project).stderr


def python(script: str, project: ProjectDirectory) -> "subprocess.CompletedProcess[str]":
    path = project.path / "shown.py"
    path.write_text(script)
    return subprocess.run(
        [sys.executable, "-I", str(path)],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("block", blocks(DOCS / "project-file.md", "yaml"))
def test_the_fields_that_are_shown_are_sound(block: str, project: ProjectDirectory) -> None:
    project.edit_config(**yaml.safe_load(block))
    load_config(project.path / "housectl.yaml")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_are_shown_where_they_are_found(page: Path) -> None:
    shown = re.findall(r"^\s*\$ .*$", page.read_text(), flags=re.MULTILINE)
    found = [command for where in (HERE, CLUSTER) for command in commands(page, where)]
    assert len(shown) == len(found), shown


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_make_has_the_targets_that_are_shown(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    shown = [match[1] for command, _ in commands(page) if (match := MAKE.fullmatch(command))]
    assert set(shown) <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@cache
def anchors(page: Path) -> frozenset[str]:
    headings = [text for _, text in HEADING.findall(BLOCK.sub("", page.read_text()))]
    return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings)


def errors(base: type[HousectlError] = HousectlError) -> Iterator[type[HousectlError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from errors(kind)


def test_each_error_has_its_section() -> None:
    explained = sections(DOCS / "errors.md")
    del explained["Exit statuses"]
    statuses = {kind.reference: kind.status for kind in errors()}
    assert set(explained) == set(statuses)
    for reference, text in explained.items():
        assert text.strip().startswith(f"Status {statuses[reference].value}"), reference
        assert "Hint: " in text, reference


def test_each_exit_status_is_listed() -> None:
    listed = {int(status) for status, _ in rows(DOCS / "errors.md", "status")}
    assert listed == set(ExitStatus)


def fields(model: type, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    known: Mapping[str, FieldInfo] = model.__pydantic_fields__  # type: ignore[attr-defined]
    for name, info in known.items():
        kind, inner = info.annotation, get_args(info.annotation)
        if isinstance(kind, type) and hasattr(kind, "__pydantic_fields__"):
            yield from fields(kind, f"{prefix}{name}.")
        elif get_origin(kind) is dict and hasattr(inner[1], "__pydantic_fields__"):
            yield from fields(inner[1], f"{prefix}{name}.NAME.")
        else:
            yield prefix + name, info


def test_each_field_is_listed_with_its_default_flag_and_variable() -> None:
    listed = {
        codes(name)[0]: (default, codes(said))
        for name, _, default, said, _ in rows(DOCS / "project-file.md", "field")
    }
    known = dict(fields(ProjectConfig))
    flags = {setting.field: [f"--{name}", env_var(name)] for name, setting in SETTINGS.items()}
    assert list(listed) == list(known)
    assert {name: said for name, (_, said) in listed.items() if said} == flags
    required = {name for name, (default, _) in listed.items() if default == "required"}
    assert required == {name for name, info in known.items() if info.is_required()}


def test_the_defaults_that_are_listed_change_nothing(project: ProjectDirectory) -> None:
    path = project.path / "housectl.yaml"
    full = yaml.safe_load(path.read_text())
    project.write({name: full[name] for name in ("name", "data", "target", "features")})
    bare = load_config(path)
    for name, _, default, _, _ in rows(DOCS / "project-file.md", "field"):
        *parents, last = codes(name)[0].replace("NAME", "RM").split(".")
        if default == "required" or parents[:1] in (["target"], ["features"]):
            continue
        value = None if default == "none" else yaml.safe_load(codes(default)[0])
        given = {parents[0]: {last: value}} if parents else {last: value}
        project.write(
            {**{key: full[key] for key in ("name", "data", "target", "features")}, **given}
        )
        assert load_config(path) == bare, name


def test_each_parameter_is_listed() -> None:
    listed = {
        codes(family)[0]: codes(names) for family, names in rows(DOCS / "project-file.md", "family")
    }
    assert listed == {family.value: sorted(family.definition.domains) for family in Family}
