import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from housectl.contract.table import read_table
from housectl.errors import DataError, HousectlError, UsageError
from housectl.project.config import ProjectConfig, load_config
from housectl.scaffold.draft import ProjectDraft, draft_project, write_draft
from tools.project_directory import ROOT, ProjectDirectory

ROWS = 120


@pytest.fixture
def numbers() -> random.Random:
    return random.Random(3)


def columns(numbers: random.Random, **more: Iterable[object]) -> dict[str, list[object]]:
    """Two usable features and a target, and what a test adds."""
    rooms = [numbers.randint(1, 9) for _ in range(ROWS)]
    width = [round(numbers.uniform(4, 30), 3) for _ in range(ROWS)]
    price = [10 * (a % 3) + b for a, b in zip(rooms, width, strict=True)]
    return {
        "rooms": [*rooms],
        "width": [*width],
        **{name: list(values) for name, values in more.items()},
        "price": [*price],
    }


def write(path: Path, table: dict[str, list[object]]) -> Path:
    rows: Sequence[Sequence[object]] = [[*table], *zip(*table.values(), strict=True)]
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


def drafted(data: Path, target: str = "price") -> tuple[ProjectDraft, ProjectConfig]:
    """Draft a file, write it, load it, and read the data with it as a trainer does."""
    made = draft_project(data, target, root=data.parent)
    file = data.parent / "housectl.yaml"
    write_draft(made, file)
    project = load_config(file)
    read_table(data.parent / project.data, project.schema_record, group=project.split.group)
    return made, project


def refused(data: Path, target: str = "price") -> HousectlError:
    with pytest.raises((DataError, UsageError)) as caught:
        draft_project(data, target, root=data.parent)
    return caught.value


def test_a_draft_describes_every_column_with_its_range(
    tmp_path: Path, numbers: random.Random
) -> None:
    table = columns(numbers)
    made, project = drafted(write(tmp_path / "Town Houses (2026).csv", table))
    schema = project.schema_record

    assert made.notes == ()
    assert project.name == "town-houses-2026"
    assert schema.feature_names == ("rooms", "width")
    assert [schema.features[1].minimum, schema.features[1].maximum] == [
        min(map(float, map(str, table["width"]))),
        max(map(float, map(str, table["width"]))),
    ]
    assert (schema.target.name, schema.target.response_key) == ("price", "prediction")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["a", *range(1, ROWS)], "text in line 2: 'a'"),
        ([*range(ROWS - 1), "n/k"], f"text in line {ROWS + 1}: 'n/k'"),
        (["", "NA", *[5, 7] * (ROWS // 2 - 1)], "missing or infinite in 2 rows, first in line 2"),
        ([5, "inf", *[5, 7] * (ROWS // 2 - 1)], "missing or infinite in 1 rows, first in line 3"),
        ([""] * ROWS, f"missing or infinite in {ROWS} rows"),
        ([4] * ROWS, "constant: always 4"),
        (["True", "False"] * (ROWS // 2), "text in line 2: 'True'"),
        (range(7, 7 + ROWS), "likely an identifier: whole numbers, none twice, in order"),
        (range(ROWS, 0, -1), "likely an identifier: whole numbers, none twice, in order"),
    ],
)
def test_a_column_that_cannot_be_used_is_excluded_with_the_reason(
    tmp_path: Path, numbers: random.Random, values: Iterable[object], reason: str
) -> None:
    made, project = drafted(write(tmp_path / "houses.csv", columns(numbers, odd=values)))
    assert reason in project.exclude["odd"]
    assert made.notes == (f"odd is excluded: {project.exclude['odd']}",)
    assert project.schema_record.feature_names == ("rooms", "width")


@pytest.mark.parametrize("name", ["id", "House_ID", "index", "uuid"])
def test_an_identifier_is_known_by_its_name_too(
    tmp_path: Path, numbers: random.Random, name: str
) -> None:
    shuffled = numbers.sample(range(1000), ROWS)
    _, project = drafted(write(tmp_path / "houses.csv", columns(numbers, **{name: shuffled})))
    assert project.exclude[name] == "likely an identifier: whole numbers, none twice"


@pytest.mark.parametrize(
    ("name", "values"), [("humid", range(ROWS)), ("index", [1, 2] * (ROWS // 2))]
)
def test_a_name_alone_makes_no_identifier(
    tmp_path: Path, numbers: random.Random, name: str, values: Sequence[int]
) -> None:
    mixed = numbers.sample(values, ROWS)
    _, project = drafted(write(tmp_path / "houses.csv", columns(numbers, **{name: mixed})))
    assert name in project.features


def test_the_only_column_stays_though_it_looks_like_an_identifier(
    tmp_path: Path, numbers: random.Random
) -> None:
    table = {"id": [*range(ROWS)], "price": [numbers.random() for _ in range(ROWS)]}
    made, project = drafted(write(tmp_path / "houses.csv", dict(table)))
    assert project.schema_record.feature_names == ("id",)
    assert made.notes[0].startswith("id is used, since there is no other: likely an identifier")


def test_repeated_rows_are_told(tmp_path: Path, numbers: random.Random) -> None:
    table = {name: [*values, values[0]] for name, values in columns(numbers).items()}
    made, _ = drafted(write(tmp_path / "houses.csv", table))
    assert made.notes[0].startswith("1 rows repeat an earlier one")


@pytest.mark.parametrize(
    "name", ["NO", "2020", "1e5", "a: b", "größe", "#x", " rooms 2", "null", "\x7f"]
)
def test_any_column_name_survives(tmp_path: Path, numbers: random.Random, name: str) -> None:
    values = [numbers.random() for _ in range(ROWS)]
    _, project = drafted(write(tmp_path / "houses.csv", columns(numbers, **{name: values})))
    assert project.schema_record.feature_names == ("rooms", "width", name)


def test_any_target_name_survives(tmp_path: Path, numbers: random.Random) -> None:
    table = columns(numbers)
    table["1e5"] = table.pop("price")
    _, project = drafted(write(tmp_path / "houses.csv", table), "1e5")
    assert project.target.name == "1e5"


def test_small_and_large_numbers_survive(tmp_path: Path, numbers: random.Random) -> None:
    values = [-1e22, 1.5e-7, *(numbers.random() for _ in range(ROWS - 2))]
    _, project = drafted(write(tmp_path / "houses.csv", columns(numbers, far=values)))
    assert (project.features["far"].min, project.features["far"].max) == (-1e22, max(values))


@pytest.mark.parametrize(
    ("file", "name"),
    [("2026.csv", "data-2026"), ("データ.csv", "data"), ("a" * 40 + ".csv", "a" * 20)],
)
def test_any_file_name_gives_a_name(
    tmp_path: Path, numbers: random.Random, file: str, name: str
) -> None:
    _, project = drafted(write(tmp_path / file, columns(numbers)))
    assert project.name == name


def test_the_data_may_lie_elsewhere(tmp_path: Path, numbers: random.Random) -> None:
    (tmp_path / "project").mkdir()
    data = write(tmp_path / "houses.csv", columns(numbers))
    file = tmp_path / "project" / "housectl.yaml"
    write_draft(draft_project(data, "price", root=file.parent), file)
    assert load_config(file).data == "../houses.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_spreadsheets_write_marks_and_other_line_ends(
    tmp_path: Path, numbers: random.Random, encoding: str, ending: str
) -> None:
    data = write(tmp_path / "houses.csv", columns(numbers))
    data.write_text(data.read_text(), encoding=encoding, newline=ending)
    _, project = drafted(data)
    assert project.schema_record.feature_names == ("rooms", "width")


def test_a_target_that_is_no_column_is_guessed(tmp_path: Path, numbers: random.Random) -> None:
    data = write(tmp_path / "houses.csv", columns(numbers))
    assert refused(data, "prize").hint == f"housectl init --data {data} --target price"
    assert "rooms, width, price" in refused(data, "MEDV").hint


@pytest.mark.parametrize("cell", ["", "NaN", "inf", "cheap"])
def test_a_target_with_a_hole_is_refused_with_its_line(
    tmp_path: Path, numbers: random.Random, cell: str
) -> None:
    table = columns(numbers)
    table["price"][3] = cell
    assert "line 5" in refused(write(tmp_path / "houses.csv", table)).message


def test_a_constant_target_is_refused(tmp_path: Path, numbers: random.Random) -> None:
    table = columns(numbers) | {"price": [1] * ROWS}
    assert "constant" in refused(write(tmp_path / "houses.csv", table)).message


def test_a_table_without_a_usable_feature_is_refused_with_every_reason(
    tmp_path: Path, numbers: random.Random
) -> None:
    table = columns(numbers) | {"rooms": ["many"] * ROWS, "width": [1] * ROWS}
    message = refused(write(tmp_path / "houses.csv", table)).message
    assert "rooms: text in line 2: 'many'; width: constant: always 1" in message


def test_few_rows_are_refused(tmp_path: Path, numbers: random.Random) -> None:
    table = {name: values[:99] for name, values in columns(numbers).items()}
    assert "99 rows" in refused(write(tmp_path / "houses.csv", table)).message


@pytest.mark.parametrize(
    ("header", "named"), [("rooms,rooms,price", "rooms"), (",width,price", "(empty)")]
)
def test_a_header_has_to_name_every_column_once(
    tmp_path: Path, numbers: random.Random, header: str, named: str
) -> None:
    data = write(tmp_path / "houses.csv", columns(numbers))
    _, _, rows = data.read_text().partition("\n")
    data.write_text(f"{header}\n{rows}")
    assert f"look at {named}" in refused(data).message


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda line: line + ",", id="longer"),
        pytest.param(lambda line: line.rpartition(",")[0], id="shorter"),
        pytest.param(lambda line: '"' + line, id="quoted"),
    ],
)
@pytest.mark.parametrize("lines", [slice(5, 6), slice(1, None)])
def test_lines_of_another_width_are_refused(
    tmp_path: Path, numbers: random.Random, spoil: Callable[[str], str], lines: slice
) -> None:
    data = write(
        tmp_path / "houses.csv", columns(numbers, last=[numbers.random() for _ in range(ROWS)])
    )
    text = data.read_text().splitlines()
    text[lines] = [spoil(line) for line in text[lines]]
    data.write_text("\n".join(text) + "\n")
    assert str(data) in refused(data).message


@pytest.mark.parametrize("content", [b"", b"\n", b"\x89PNG\r\n\x1a\n\xff\xfe", b"PAR1\x00\x00"])
def test_what_is_no_csv_is_refused(tmp_path: Path, content: bytes) -> None:
    data = tmp_path / "houses.csv"
    data.write_bytes(content)
    assert str(data) in refused(data).message


def test_another_separator_is_told(tmp_path: Path, numbers: random.Random) -> None:
    data = write(tmp_path / "houses.csv", columns(numbers))
    data.write_text(data.read_text().replace(",", ";"))
    assert "separated by commas" in refused(data).hint


@pytest.mark.parametrize("place", ["missing.csv", "."])
def test_what_cannot_be_read_is_refused(tmp_path: Path, place: str) -> None:
    assert "Cannot read" in refused(tmp_path / place).message


def test_a_project_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "housectl.yaml"
    file.write_text("mine\n")
    made = draft_project(ROOT / "data/boston.csv", "MEDV", root=tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        write_draft(made, file)
    assert file.read_text() == "mine\n"


def test_a_draft_tunes_and_is_promoted_unedited(tmp_path: Path, numbers: random.Random) -> None:
    gaps = ["", *[numbers.random() for _ in range(ROWS - 1)]]
    write(tmp_path / "houses.csv", columns(numbers, id=range(ROWS), town=["x"] * ROWS, depth=gaps))
    project = ProjectDirectory(tmp_path)
    project.run_ok("init", "--data", "houses.csv", "--target", "price")
    project.run_ok("tune", "--trials", "2", "--family", "xgboost")
    project.run_ok("promote")
