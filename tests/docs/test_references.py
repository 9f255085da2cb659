"""The reference pages are complete: errors, exit statuses, fields, parameters and links."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic.fields import FieldInfo

from housectl.backends.katib import labels_and_paths as naming
from housectl.cli.settings import SETTINGS, env_var, flag
from housectl.contract.families import Family
from housectl.errors import ExitStatus, HousectlError
from housectl.project.config import ProjectConfig, load_config
from housectl.project.feature_fields import FeatureFields
from housectl_server.endpoints.health import Health
from housectl_server.state import ServingStatus
from tests.docs.pages import DOCS, PAGES, anchors, blocks, code_spans, page_id, rows, sections
from tools.project_directory import ProjectDirectory, example

ERRORS = DOCS / "errors.md"
PROJECT_FILE = DOCS / "project-file.md"

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_to_existing_files_and_headings(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def error_classes(base: type[HousectlError] = HousectlError) -> Iterator[type[HousectlError]]:
    for error_class in base.__subclasses__():
        yield error_class
        yield from error_classes(error_class)


def test_each_error_has_its_section() -> None:
    explained = sections(ERRORS)
    del explained["Exit statuses"]
    statuses = {error_class.reference: error_class.status for error_class in error_classes()}
    assert set(explained) == set(statuses)
    for reference, text in explained.items():
        assert text.strip().startswith(f"Status {statuses[reference].value}"), reference
        assert "Fix: " in text, reference


def test_each_exit_status_is_listed() -> None:
    assert {int(status) for status, _ in rows(ERRORS, "status")} == set(ExitStatus)


@pytest.mark.parametrize("block", blocks(PROJECT_FILE, "yaml"))
def test_shown_fields_are_valid(block: str, project: ProjectDirectory) -> None:
    project.edit_config(**yaml.safe_load(block))
    load_config(project.path / "housectl.yaml")


def fields(model: type, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    model_fields: Mapping[str, FieldInfo] = model.__pydantic_fields__  # type: ignore[attr-defined]
    for name, info in model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and hasattr(annotation, "__pydantic_fields__"):
            yield from fields(annotation, f"{prefix}{name}.")
        elif name == "features":
            yield from feature_fields(f"{prefix}{name}.NAME.")
        else:
            yield prefix + name, info


def feature_fields(prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields of all types of features, each once."""
    union, *_ = get_args(FeatureFields)
    found = [each for model, _ in map(get_args, get_args(union)) for each in fields(model, prefix)]
    yield from ((name, info) for name, info in {**dict(found), **dict(reversed(found))}.items())


def test_each_field_is_listed_with_its_default_flag_and_variable() -> None:
    listed = {
        code_spans(name)[0]: (default, code_spans(overrides))
        for name, _, default, overrides, _ in rows(PROJECT_FILE, "field")
    }
    existing = dict(fields(ProjectConfig))
    flags = {setting.field: [flag(name), env_var(name)] for name, setting in SETTINGS.items()}
    assert list(listed) == list(existing)
    assert {name: overrides for name, (_, overrides) in listed.items() if overrides} == flags
    required = {name for name, (default, _) in listed.items() if default == "required"}
    assert required == {name for name, info in existing.items() if info.is_required()}


def test_listed_defaults_change_nothing(project: ProjectDirectory) -> None:
    path = project.path / "housectl.yaml"
    full = yaml.safe_load(path.read_text())
    required = {name: full[name] for name in ("name", "data", "target", "features")}
    project.write(required)
    bare = load_config(path)
    for name, _, default, _, _ in rows(PROJECT_FILE, "field"):
        *parents, last = code_spans(name)[0].replace("NAME", "RM").split(".")
        if default == "required" or parents[:1] in (["target"], ["features"]):
            continue
        value = None if default == "none" else yaml.safe_load(code_spans(default)[0])
        project.write({**required, **({parents[0]: {last: value}} if parents else {last: value})})
        assert load_config(path) == bare, name


def test_each_parameter_is_listed() -> None:
    listed = {
        code_spans(family)[0]: code_spans(names) for family, names in rows(PROJECT_FILE, "family")
    }
    assert listed == {family.value: sorted(family.definition.domains) for family in Family}


def test_each_label_and_annotation_is_listed() -> None:
    existing = {value for value in vars(naming).values() if str(value).startswith("housectl/")}
    listed = {code_spans(name)[0] for name, *_ in rows(DOCS / "formats.md", "label or annotation")}
    assert existing <= listed


def test_each_field_of_health_is_listed() -> None:
    listed = {
        code_spans(name)[0]: code_spans(content)
        for name, content in rows(DOCS / "formats.md", "field of `/health`")
    }
    assert listed.keys() == Health.model_fields.keys()
    assert set(listed["status"]) == set(ServingStatus)
