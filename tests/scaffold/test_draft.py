import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.table import read_table
from housectl.contract.families import Family
from housectl.contract.parameters import Value
from housectl.errors import DataError, HousectlError, UsageError
from housectl.project.config import ProjectConfig, load_config
from housectl.scaffold.draft import ProjectDraft, draft_project, write_draft
from housectl.scaffold.search_choices import choose_search
from tools.project_directory import ROOT, ProjectDirectory

ROWS = 120


@pytest.fixture
def rng() -> random.Random:
    return random.Random(3)


def columns(rng: random.Random, **more: Iterable[object]) -> dict[str, list[object]]:
    """Return two usable features and a target, with additional columns."""
    rooms = [rng.randint(1, 9) for _ in range(ROWS)]
    width = [round(rng.uniform(4, 30), 3) for _ in range(ROWS)]
    price = [10 * (a % 3) + b for a, b in zip(rooms, width, strict=True)]
    return {
        "rooms": [*rooms],
        "width": [*width],
        **{name: list(values) for name, values in more.items()},
        "price": [*price],
    }


def write_csv(path: Path, table: dict[str, list[object]]) -> Path:
    rows: Sequence[Sequence[object]] = [[*table], *zip(*table.values(), strict=True)]
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


def draft_and_load(data: Path, target: str = "price") -> tuple[ProjectDraft, ProjectConfig]:
    """Draft and write a project file, load it, and read the data with it like a trainer."""
    draft = draft_project(data, target, root=data.parent)
    file = data.parent / "housectl.yaml"
    write_draft(draft, file)
    project = load_config(file)
    read_table(
        data.parent / project.data,
        project.schema_record,
        csv_format=project.csv_format,
        group=project.split.group,
    )
    return draft, project


def draft_error(data: Path, target: str = "price") -> HousectlError:
    with pytest.raises((DataError, UsageError)) as caught:
        draft_project(data, target, root=data.parent)
    return caught.value


def test_draft_has_range_of_every_column(tmp_path: Path, rng: random.Random) -> None:
    table = columns(rng)
    draft, project = draft_and_load(write_csv(tmp_path / "Town Houses (2026).csv", table))
    schema = project.schema_record

    assert draft.notes == ()
    assert project.name == "town-houses-2026"
    assert schema.feature_names == ("rooms", "width")
    assert [schema.features[1].minimum, schema.features[1].maximum] == [
        min(map(float, map(str, table["width"]))),
        max(map(float, map(str, table["width"]))),
    ]
    assert (schema.target.name, schema.target.response_key) == ("price", "prediction")


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_ends_of_lines_end_a_row(tmp_path: Path, rng: random.Random, character: str) -> None:
    town = [("Ulm", f"Bad{character}Orb")[index % 2] for index in range(ROWS)]
    draft, project = draft_and_load(write_csv(tmp_path / "a.csv", columns(rng, town=town)))
    assert project.csv_format == CsvFormat()
    assert {each.name: each.choice for each in draft.columns}["town"] == "category"


def test_long_text_is_excluded_as_free_text(tmp_path: Path, rng: random.Random) -> None:
    note = [("a" * 201, "b")[index % 2] for index in range(ROWS)]
    draft, _ = draft_and_load(write_csv(tmp_path / "a.csv", columns(rng, note=note)))
    assert {each.name: each.reason for each in draft.columns}["note"] == (
        "free text: a text has 201 characters, and a level at most 200"
    )


def test_zeros_of_both_signs_are_constant(tmp_path: Path, rng: random.Random) -> None:
    zeros = [("0.0", "-0.0")[index % 2] for index in range(ROWS)]
    draft, project = draft_and_load(write_csv(tmp_path / "a.csv", columns(rng, zero=zeros)))
    assert project.exclude == {"zero": "constant"}
    assert draft.notes == ()


def test_kind_of_excluded_column_is_written_and_its_reason_is_listed(
    tmp_path: Path, rng: random.Random
) -> None:
    table = columns(rng, odd=range(ROWS, 0, -1))
    draft, project = draft_and_load(write_csv(tmp_path / "houses.csv", table))
    assert project.exclude == {"odd": "identifier"}
    assert draft.notes == ()
    assert [(each.name, each.choice) for each in draft.columns] == [
        ("rooms", "number"),
        ("width", "number"),
        ("odd", "excluded"),
        ("price", "target"),
    ]
    assert draft.columns[2].reason == "identifier: unique whole numbers, sorted"


@pytest.mark.parametrize("name", ["id", "House_ID", "index", "uuid"])
def test_unsorted_identifier_is_recognised_by_name(
    tmp_path: Path, rng: random.Random, name: str
) -> None:
    shuffled = rng.sample(range(1000), ROWS)
    _, project = draft_and_load(
        write_csv(tmp_path / "houses.csv", columns(rng, **{name: shuffled}))
    )
    assert project.exclude[name] in {"identifier", "index"}


@pytest.mark.parametrize(
    ("name", "values"), [("humid", range(ROWS)), ("index", [1, 2] * (ROWS // 2))]
)
def test_identifier_needs_unique_values_and_name_or_order(
    tmp_path: Path, rng: random.Random, name: str, values: Sequence[int]
) -> None:
    mixed = rng.sample(values, ROWS)
    _, project = draft_and_load(write_csv(tmp_path / "houses.csv", columns(rng, **{name: mixed})))
    assert name in project.features


def test_probable_identifier_is_kept_if_only_column(tmp_path: Path, rng: random.Random) -> None:
    table = {"id": [*range(ROWS)], "price": [rng.random() for _ in range(ROWS)]}
    draft, project = draft_and_load(write_csv(tmp_path / "houses.csv", dict(table)))
    assert project.schema_record.feature_names == ("id",)
    assert "kept because no other column is usable" in draft.columns[0].reason


def test_duplicate_rows_are_noted(tmp_path: Path, rng: random.Random) -> None:
    table = {name: [*values, values[0]] for name, values in columns(rng).items()}
    draft, _ = draft_and_load(write_csv(tmp_path / "houses.csv", table))
    assert draft.notes[0].startswith(
        "1 of 121 rows have the features and the price of an earlier row"
    )


@pytest.mark.parametrize("name", ["NO", "2020", "1e5", "a: b", "größe", "#x", "null", "\x7f"])
def test_any_column_name_is_preserved(tmp_path: Path, rng: random.Random, name: str) -> None:
    values = [rng.random() for _ in range(ROWS)]
    _, project = draft_and_load(write_csv(tmp_path / "houses.csv", columns(rng, **{name: values})))
    assert project.schema_record.feature_names == ("rooms", "width", name)


def test_any_target_name_is_preserved(tmp_path: Path, rng: random.Random) -> None:
    table = columns(rng)
    table["1e5"] = table.pop("price")
    _, project = draft_and_load(write_csv(tmp_path / "houses.csv", table), "1e5")
    assert project.target.name == "1e5"


def test_small_and_large_numbers_are_preserved(tmp_path: Path, rng: random.Random) -> None:
    values = [-1e22, 1.5e-7, *(rng.random() for _ in range(ROWS - 2))]
    _, project = draft_and_load(write_csv(tmp_path / "houses.csv", columns(rng, far=values)))
    assert (project.features["far"].min, project.features["far"].max) == (-1e22, max(values))


@pytest.mark.parametrize(
    ("file", "name"),
    [("2026.csv", "data-2026"), ("データ.csv", "data"), ("a" * 40 + ".csv", "a" * 20)],
)
def test_any_file_name_yields_valid_project_name(
    tmp_path: Path, rng: random.Random, file: str, name: str
) -> None:
    _, project = draft_and_load(write_csv(tmp_path / file, columns(rng)))
    assert project.name == name


def test_data_may_be_outside_project_directory(tmp_path: Path, rng: random.Random) -> None:
    (tmp_path / "project").mkdir()
    data = write_csv(tmp_path / "houses.csv", columns(rng))
    file = tmp_path / "project" / "housectl.yaml"
    write_draft(draft_project(data, "price", root=file.parent), file)
    assert load_config(file).data == "../houses.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_byte_order_mark_and_crlf_are_accepted(
    tmp_path: Path, rng: random.Random, encoding: str, ending: str
) -> None:
    data = write_csv(tmp_path / "houses.csv", columns(rng))
    data.write_text(data.read_text(), encoding=encoding, newline=ending)
    _, project = draft_and_load(data)
    assert project.schema_record.feature_names == ("rooms", "width")


def test_missing_target_suggests_similar_column(tmp_path: Path, rng: random.Random) -> None:
    data = write_csv(tmp_path / "houses.csv", columns(rng))
    assert draft_error(data, "prize").hint == f"housectl init --data {data} --target price"
    assert "rooms, width, price" in draft_error(data, "MEDV").hint


@pytest.mark.parametrize("cell", ["", "NaN", "inf"])
def test_rows_without_target_are_left_out_and_counted(
    tmp_path: Path, rng: random.Random, cell: str
) -> None:
    table = columns(rng)
    table["price"][3] = cell
    table["width"][3] = ""
    draft, project = draft_and_load(write_csv(tmp_path / "houses.csv", table))
    assert f"1 of {ROWS} rows have no price; they are left out." in draft.notes
    assert not project.schema_record.column_types


def test_constant_target_is_rejected(tmp_path: Path, rng: random.Random) -> None:
    table = columns(rng) | {"price": [1] * ROWS}
    assert "constant" in draft_error(write_csv(tmp_path / "houses.csv", table)).message


def test_table_without_usable_feature_is_rejected_with_all_reasons(
    tmp_path: Path, rng: random.Random
) -> None:
    table = columns(rng) | {"rooms": [""] * ROWS, "width": [1] * ROWS}
    message = draft_error(write_csv(tmp_path / "houses.csv", table)).message
    assert "rooms: all cells are missing; width: all cells that are not missing are eq" in message


def test_too_few_rows_are_rejected(tmp_path: Path, rng: random.Random) -> None:
    table = {name: values[:99] for name, values in columns(rng).items()}
    assert "99 rows" in draft_error(write_csv(tmp_path / "houses.csv", table)).message


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda line: line + ",1", id="longer"),
        pytest.param(lambda line: line.rpartition(",")[0], id="shorter"),
        pytest.param(lambda line: '"' + line, id="quoted"),
    ],
)
def test_damaged_row_is_rejected(
    tmp_path: Path, rng: random.Random, damage: Callable[[str], str]
) -> None:
    data = write_csv(tmp_path / "houses.csv", columns(rng))
    text = data.read_text().splitlines()
    text[5] = damage(text[5])
    data.write_text("\n".join(text) + "\n")
    assert f"{data}, line 6" in draft_error(data).message


@pytest.mark.parametrize("content", [b"", b"\n", b"\x89PNG\r\n\x1a\n\xff\xfe", b"PAR1\x00\x00"])
def test_file_that_is_not_csv_is_rejected(tmp_path: Path, content: bytes) -> None:
    data = tmp_path / "houses.csv"
    data.write_bytes(content)
    assert str(data) in draft_error(data).message


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_unreadable_path_is_rejected(tmp_path: Path, name: str) -> None:
    assert "Cannot read" in draft_error(tmp_path / name).message


def test_project_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "housectl.yaml"
    file.write_text("mine\n")
    draft = draft_project(ROOT / "data/boston.csv", "MEDV", root=tmp_path)
    with pytest.raises(UsageError, match="already exists"):
        write_draft(draft, file)
    assert file.read_text() == "mine\n"


@pytest.mark.slow
def test_unedited_draft_tunes_and_is_promoted(tmp_path: Path, rng: random.Random) -> None:
    gaps = ["", *[rng.random() for _ in range(ROWS - 1)]]
    write_csv(tmp_path / "houses.csv", columns(rng, id=range(ROWS), town=["x"] * ROWS, depth=gaps))
    project = ProjectDirectory(tmp_path)
    project.run_ok("init", "--data", "houses.csv", "--target", "price")
    project.run_ok("tune", "--trials", "2", "--family", "xgboost")
    project.run_ok("promote")


@pytest.mark.parametrize(
    ("rows", "search", "fixed"),
    [
        (3000, ("auto", 5), {"n_estimators": 300}),
        (3001, ("auto", 5), {"n_estimators": 300, "max_leaf_nodes": 1500}),
        (10_001, ("xgboost", 3), {"tree_method": "hist"}),
    ],
)
def test_draft_limits_the_search_of_many_rows(
    tmp_path: Path, rng: random.Random, rows: int, search: tuple[str, int], fixed: dict[str, Value]
) -> None:
    area = [round(rng.uniform(20, 90), 4) for _ in range(rows)]
    table: dict[str, list[object]] = {"area": [*area], "price": [2 * each for each in area]}
    draft, project = draft_and_load(write_csv(tmp_path / "houses.csv", table))
    spaces = project.experiment("houses").spaces
    assert (project.family, project.folds) == search
    searched = Family.RANDOM_FOREST if project.family == "auto" else Family.XGBOOST
    assert spaces[searched].fixed == fixed
    has_note = any(f"With {rows} rows, the draft" in note for note in draft.notes)
    assert has_note is (rows > 3000)


def test_draft_of_very_many_rows_has_a_single_fold() -> None:
    choices = choose_search(100_001)
    assert (choices.family, choices.folds) == (Family.XGBOOST, 1)
    assert choose_search(100_000).folds == 3


def test_style_of_another_library_does_not_change_the_text_of_scalars() -> None:
    """An import of Hera changes for the whole process how PyYAML writes texts."""
    script = (
        "import hera.workflows\n"
        "from housectl.scaffold.project_file.yaml_text import yaml_scalar\n"
        r"print(yaml_scalar('area\nm2'))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert printed == '"area\\nm2"\n'
