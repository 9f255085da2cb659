import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from housectl.contract.data.table import read_table
from housectl.contract.families import Family
from housectl.contract.recipe import Split, SplitMethod
from housectl.cores import usable_cores
from housectl.errors import ProjectError, UsageError
from housectl.experiment import Parameter, ParameterKind, lag_of
from housectl.project.config import ProjectConfig, load_config
from housectl.project.json_schema import json_schema
from housectl.project.override import Override
from housectl.search_spaces import default_space, wide_space
from tools.project_directory import ROOT

EXAMPLES = [".", "examples/boston-original", "examples/diabetes"]
MINIMAL = """\
name: houses
data: houses.csv
target: {name: price}
features:
  rooms: {min: 1, max: 9}
  age: {min: 0, max: 99}
"""


# Twelve lists of ten aliases each: 10 ** 12 values in 700 bytes.
ALIAS_BOMB = "a0: &a0 x\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 13)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "housectl.yaml"


def load(file: Path, more: str = "", **overrides: object) -> ProjectConfig:
    file.write_text(MINIMAL + more, encoding="utf-8")
    return load_config(
        file,
        overrides={
            name.replace("__", "."): Override(value, f"--{name.rpartition('__')[2]}")
            for name, value in overrides.items()
        },
    )


def problems(file: Path, more: str, **overrides: object) -> list[str]:
    with pytest.raises(UsageError if overrides else ProjectError) as caught:
        load(file, more, **overrides)
    heading, *listed = caught.value.message.splitlines()
    assert str(file) in heading
    return [line.strip() for line in listed]


def test_four_fields_suffice(file: Path) -> None:
    project = load(file)
    experiment = project.experiment("houses-1")

    assert experiment.spaces == {Family.RANDOM_FOREST: default_space(Family.RANDOM_FOREST)}
    assert (experiment.budget.trials, experiment.budget.seconds) == (30, None)
    assert (experiment.limits.seconds, experiment.limits.memory) == (600, 4 * 2**30)
    assert (experiment.workers, experiment.seed) == (usable_cores(), 42)
    assert (experiment.lag, experiment.prune) == (lag_of(usable_cores()), True)
    assert project.split_record == Split(method=SplitMethod.HASH, holdout=0.2, group=None)
    assert project.server_url == "http://127.0.0.1:8005"


def test_all_problems_of_file_are_reported_at_once(file: Path) -> None:
    listed = problems(
        file,
        """\
  price: {min: 0, max: 1}
exclude:
  age: nobody knows it
famly: xgboost
space:
  n_estimators: {min: 9, max: 1}
  max_depth: {mni: 1, max: 5}
split: {holdout: 0.9, group: town}
budget: {trials: 0, time: 5x}
limits: {memory: 4Q}
workers: 5
workers: 2
gate: none
serve: 8005
""",
    )
    unknown, ends = (
        "found an unknown field",
        "expected one of min, max, log, step; do you mean min?",
    )
    names, question = ", ".join(ProjectConfig.model_fields), "; do you mean family?"
    assert listed == [
        "housectl.yaml:18: workers: found again, expected once (line 17)",
        "housectl.yaml:7: features.price: found the target, expected only input columns",
        "housectl.yaml:12: space.n_estimators: found {'min': 9, 'max': 1}, expected min below max",
        "housectl.yaml:13: space.max_depth.min: found nothing, expected a value",
        f"housectl.yaml:13: space.max_depth.mni: {unknown}, {ends}",
        "housectl.yaml:14: split.holdout: found 0.9, expected a number less than or equal to 0.5",
        "housectl.yaml:15: budget.trials: found 0, expected a number greater than or equal to 1",
        "housectl.yaml:15: budget.time: found '5x', expected a duration such as 90s, 10m or 1h30m",
        "housectl.yaml:16: limits.memory: found '4Q', expected a size such as 512Mi or 4Gi",
        "housectl.yaml:19: gate: found 'none', expected 'holdout-and-cv' or 'holdout'",
        "housectl.yaml:20: serve: found 8005, expected a mapping",
        f"housectl.yaml:10: famly: {unknown}, expected one of {names}{question}",
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("exclude: {age: old}\n", "7: exclude.age: found a target or feature column"),
        ("exclude: {price: leaks}\n", "7: exclude.price: found a target or feature column"),
        ("split: {group: rom}\n", "7: split.group: found 'rom', expected one of rooms, age"),
        ("split: {method: time}\n", "7: split.column: found nothing, expected a column with"),
        ("split: {column: age}\n", "7: split.column: found 'age', expected nothing without"),
        (
            "split: {method: time, column: agee}\n",
            "7: split.column: found 'agee', expected one of rooms, age",
        ),
        (
            "split: {method: time, column: age, group: rooms}\n",
            "7: split.group: found 'rooms', expected nothing with method: time",
        ),
        ("space: {}\n", "7: space: found nothing to search"),
        ("space: {n_estimators: 9}\n", "7: space: found nothing to search"),
        ("space: {n_trees: {min: 1, max: 9}}\n", "space.n_trees: found no parameter of random-"),
        (
            "space: {max_depth: {min: 1.5, max: 9}}\n",
            "space.max_depth.min: found 1.5, expected a w",
        ),
        (
            "space: {max_features: {min: 0.5, max: 2}}\n",
            "space.max_features.max: found 2, expected",
        ),
        (
            "space: {max_depth: {min: 0, max: 9, log: true}}\n",
            "expected min above 0, since the sca",
        ),
        (
            "space: {max_depth: {min: 2, max: 9, log: true, step: 1}}\n",
            "expected step or log, since steps are",
        ),
        ("space: {max_depth: {min: 2, max: 9, step: 8}}\n", "expected step above 0 and at most"),
        (
            "space: {max_depth: {min: 2, max: 9, step: 1.5}}\n",
            "space.max_depth.step: found 1.5, expected a whole number",
        ),
        (
            "space: {max_features: {choices: [0.5, all]}}\n",
            "space.max_features.choices.1: found 'a",
        ),
        ("space: {max_depth: [1, 2]}\n", "space.max_depth: found [1, 2], expected a range"),
        (
            "space: {max_depth: {min: a, max: 9}}\n",
            "space.max_depth.min: found 'a', expected a val",
        ),
        (
            "family: auto\nspace: {max_depth: {min: 1, max: 9}}\n",
            "8: space: found parameters of no",
        ),
        (
            "family: auto\nspace:\n  xgboost: {max_features: {min: 0.1, max: 1}}\n",
            "9: space.xgboost.max_features: found no parameter of xgboost",
        ),
        (
            "family: auto\nspace: {xgboost: wide, random-frost: wide}\n",
            "8: space.random-frost: found 'random-frost', expected 'random-forest', 'xgboost'",
        ),
        ("family: auto\nbudget: {trials: 2}\n", "8: budget.trials: found 2, expected at least 3"),
        ("family: forest\n", "'random-forest', 'xgboost', 'linear' or 'auto'"),
        (
            "workers: true\n",
            "7: workers: found True, expected auto, or a whole number from 1 to 256",
        ),
        ("workers: 257\n", "7: workers: found 257, expected auto, or a whole number"),
        ("workers: 2.0\n", "7: workers: found 2.0, expected auto, or a whole number"),
        ("lag: 12\n", "7: lag: found 12, expected 8, 16, 32, 64, 128 or 256"),
        ("workers: 9\nlag: 8\n", "8: lag: found 8, expected at least the number of workers, 9"),
        ("prune: 1\n", "7: prune: found 1, expected a valid boolean"),
        ("folds: 4\n", "7: folds: found 4, expected 1, 3 or 5"),
        ("folds: true\n", "7: folds: found True, expected 1, 3 or 5"),
        ("seed: '7'\n", "7: seed: found '7'"),
        ("budget: {time: -5}\n", "7: budget.time: found -5, expected a number greater than 0"),
        (
            "limits: {memory: 0Gi}\n",
            "7: limits.memory: found '0Gi', expected a number greater than 0",
        ),
        ("verify: {url: houses}\n", "7: verify.url: found 'houses', expected text that matches"),
        (
            "registry: {url: 'ftp://a'}\n",
            "7: registry.url: found 'ftp://a', expected a URL such as",
        ),
        ("registry: {url: 'http://'}\n", "7: registry.url: found 'http://', expected a URL"),
        (
            "registry: {url: 'http://me:pw@a'}\n",
            "url: found a URL with a user, a query or a fragment, exp",
        ),
        ("registry: {url: 'http://a:0'}\n", "7: registry.url: found 'http://a:0'"),
        ("registry: {url: 'http://a:70000'}\n", "7: registry.url: found 'http://a:70000'"),
        ("registry: {url: 'http://a?secret'}\n", "url: found a URL with a user, a query or a frag"),
        ("registry: {url: 'http://a b'}\n", "7: registry.url: found 'http://a b'"),
        ("registry: {url: 'http://[::1'}\n", "7: registry.url: found 'http://[::1'"),
        ("registry: {name: ' '}\n", "7: registry.name: found ' ', expected a text of up to 255"),
        ("registry: {name: " + "n" * 256 + "}\n", "expected a text of up to 255 printable"),
        ('registry: {name: "a\\nb"}\n', "expected a text of up to 255 printable characters"),
        ("registry: {token: secret}\n", "7: registry.token: found an unknown field"),
        ("  tax: {min: 5, max: 1}\n", "7: features.tax: found {'min': 5, 'max': 1}"),
        ("  tax:\n", "7: features.tax: found None, expected a mapping"),
        ("  tax: {min: .inf, max: 1}\n", "7: features.tax.min: found '.inf'"),
    ],
)
def test_problem_is_reported_with_its_line(file: Path, more: str, expected: str) -> None:
    (problem,) = problems(file, more)
    assert expected in problem
    assert problem.startswith("housectl.yaml:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "housectl.yaml:1: name: found nothing"),
        ("- a\n", "housectl.yaml:1: found ['a'], expected a mapping"),
        ("name: a\ndata: [\n", "housectl.yaml:3: not YAML: "),
        ("name: a\n\tdata: b\n", "housectl.yaml:2: not YAML: "),
        ("name: *a\n", "housectl.yaml:1: not YAML: found undefined alias"),
        ("name: &a [*a]\n", "infinite nesting"),
        ("name: \x00\n", "not YAML: unacceptable character"),
        ("name: a\nname: b\n", "housectl.yaml:2: name: found again, expected once (line 1)"),
        ("name: 2026-02-30\n", "housectl.yaml:1: name: found '2026-02-30'"),
    ],
)
def test_invalid_text_is_project_error(file: Path, text: str, expected: str) -> None:
    file.write_text(text)
    with pytest.raises(ProjectError) as caught:
        load_config(file)
    assert expected in caught.value.message


HOSTILE = {
    "alias bomb": (ALIAS_BOMB, "not YAML: it has more than 200000 values"),
    "deep list": ("name: " + "[" * 10**6, "housectl.yaml:1: not YAML: it is nested more than 32"),
    "deep mapping": ("name: " + "{a: " * 500 + "}" * 500, "it is nested more than 32 levels deep"),
    "long text": ("name: " + "a" * 2**23, "not YAML: it has more than 4194304 bytes"),
    "many keys": ("k: 1\n" * (10**5 + 1), "not YAML: it has more than 200000 values"),
    "surrogate": ('name: "\\ud800"\n', "not YAML: found invalid Unicode character"),
    "NUL": ('data: "a\\0b"\n', r"data: found 'a\x00b', expected a text without NUL characters"),
    "330 digits": (f"seed: {'1' * 330}\n", "seed: found inf, expected a valid integer"),
    "5000 digits": (f"seed: -{'1' * 5000}\n", "seed: found -inf, expected a valid integer"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_project_error(file: Path, name: str) -> None:
    text, expected = HOSTILE[name]
    file.write_text(text)
    with pytest.raises(ProjectError) as caught:
        load_config(file)
    assert expected in caught.value.message


def test_invalid_utf8_is_project_error(file: Path) -> None:
    file.write_bytes(b"name: \xff\n")
    with pytest.raises(ProjectError, match="not YAML"):
        load_config(file)


def test_missing_file_is_project_error(file: Path) -> None:
    with pytest.raises(ProjectError, match="No such file"):
        load_config(file)


@pytest.mark.parametrize(
    "name", ["Boston", "boston.1", "1boston", "boston-", "a" * 21, "", "bos_ton"]
)
def test_names_invalid_on_a_cluster_are_rejected(file: Path, name: str) -> None:
    assert "--name: name: found" in problems(file, "", name=name)[0]


def test_longest_name_has_room_for_timestamp_and_suffix(file: Path) -> None:
    project = load(file, name="a" * 20)
    name = project.default_experiment_name(datetime(2026, 11, 24, 2, 15, 30, tzinfo=UTC))
    assert name == "a" * 20 + "-20261124-021530"
    assert len(name) <= 40 - len("-99")


def test_flags_override_file(file: Path) -> None:
    project = load(
        file,
        "budget: {trials: 8, time: 5m}\n",
        budget__trials=50,
        family="xgboost",
        space="wide",
        limits__memory="512Mi",
        serve__port=9000,
    )
    experiment = project.experiment("houses-1")
    assert (experiment.budget.trials, experiment.budget.seconds) == (50, 300)
    assert experiment.spaces == {Family.XGBOOST: wide_space(Family.XGBOOST)}
    assert experiment.limits.memory == 512 * 2**20
    assert project.server_url.endswith(":9000")


@pytest.mark.parametrize(
    ("settings", "workers", "lag"),
    [
        ("backend: katib\n", 3, 8),
        ("backend: katib\nlag: 16\n", 3, 16),
        ("workers: 1\nlag: 32\n", 1, 32),
        ("workers: 8\n", 8, 8),
        ("workers: 9\n", 9, 16),
        ("backend: katib\nworkers: 256\n", 256, 256),
    ],
)
def test_lag_is_at_least_the_number_of_workers(
    file: Path, settings: str, workers: int, lag: int
) -> None:
    experiment = load(file, settings).experiment("houses-1")
    assert (experiment.workers, experiment.lag) == (workers, lag)


def test_flag_sets_number_of_workers(file: Path) -> None:
    assert load(file, "workers: 1\n", workers="16").experiment("houses-1").workers == 16
    experiment = load(file, "workers: 1\n", workers="auto", lag=8, prune=False).experiment("h")
    assert (experiment.workers, experiment.prune) == (min(usable_cores(), 8), False)


def test_problem_of_flag_names_flag_instead_of_line(file: Path) -> None:
    assert problems(
        file, "workers: 1\nfamily: auto\n", workers="many", space="big", budget__trials=0
    ) == [
        "--space: space: found 'big', expected 'default' or 'wide'",
        "--trials: budget.trials: found 0, expected a number greater than or equal to 1",
        "--workers: workers: found 'many', expected auto, or a whole number from 1 to 256",
    ]


def test_problems_of_file_precede_those_of_flags(file: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        load(file, "budget: 5\n", budget__trials=3, workers=9)
    assert caught.value.message.splitlines()[1:] == [
        "  housectl.yaml:7: budget: found 5, expected a mapping"
    ]


def test_flag_that_does_not_fit_file_is_named(file: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(file, "space: {max_features: {min: 0.3, max: 0.6}}\n", family="xgboost")
    heading, problem = caught.value.message.splitlines()
    assert "--family" in heading
    assert problem.startswith("  housectl.yaml:7: space.max_features: found")
    assert caught.value.hint == "Correct or omit --family."


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("45", None), (45, 45)],
)
def test_durations(file: Path, text: object, seconds: float | None) -> None:
    if seconds is None:
        assert len(problems(file, "", budget__time=text)) == 1
    else:
        assert load(file, budget__time=text).experiment("x").budget.seconds == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("4Gi", 2**32), ("512Mi", 2**29), ("1.5Gi", 3 * 2**29), ("2G", 2 * 10**9)]
)
def test_sizes(file: Path, text: str, size: int) -> None:
    assert load(file, limits__memory=text).experiment("x").limits.memory == size


def test_mapping_defines_whole_space(file: Path) -> None:
    space = """\
space:
  max_features: {choices: [sqrt, 1, 0.5]}
  n_estimators: {min: 1e2, max: 400}
  max_depth: 4
"""
    read = load(file, space).experiment("x").spaces[Family.RANDOM_FOREST]
    assert read.parameters == (
        Parameter(name="max_features", kind=ParameterKind.CATEGORICAL, choices=("sqrt", 1.0, 0.5)),
        Parameter(name="n_estimators", kind=ParameterKind.INT, minimum=100, maximum=400),
    )
    assert read.fixed == {"max_depth": 4}
    assert [type(read.parameters[0].choices[1]), type(read.parameters[1].minimum)] == [float, int]


def test_auto_searches_each_family_in_its_own_space(file: Path) -> None:
    space = "family: auto\nspace: {xgboost: {max_depth: {min: 2, max: 4}}}\n"
    spaces = load(file, space).experiment("x").spaces
    assert spaces[Family.RANDOM_FOREST] == default_space(Family.RANDOM_FOREST)
    assert [parameter.name for parameter in spaces[Family.XGBOOST].parameters] == ["max_depth"]


def test_family_flag_selects_its_space(file: Path) -> None:
    space = "family: auto\nspace: {xgboost: {max_depth: {min: 2, max: 4}}}\n"
    assert load(file, space, family="xgboost").experiment("x").spaces.keys() == {Family.XGBOOST}


def test_fewer_trials_than_max_failed_are_valid(file: Path) -> None:
    assert load(file, budget__trials=2).experiment("x").budget.max_failed == 2


def test_scalars_follow_yaml_1_2(file: Path) -> None:
    more = '  NO: {min: 1e-3, max: 1}\n  2020: {min: .5, max: 1}\n  "on": {min: 010, max: 11}\n'
    features = load(file, more).schema_record.features
    assert [(feature.name, feature.minimum) for feature in features[2:]] == [
        ("NO", 0.001),
        ("2020", 0.5),
        ("on", 10.0),
    ]


def test_alias_is_resolved(file: Path) -> None:
    more = "  north: &flag {min: 0, max: 1}\n  south: *flag\n"
    assert load(file, more).schema_record.features[3].maximum == 1


def test_group_may_be_excluded_column(file: Path) -> None:
    project = load(file, "exclude: {town: a name}\nsplit: {group: town}\n")
    assert project.split_record.group == "town"


def test_time_may_be_excluded_column(file: Path) -> None:
    project = load(file, "exclude: {sold: a date}\nsplit: {method: time, column: sold}\n")
    assert project.split_record == Split(method=SplitMethod.TIME, column="sold")


@pytest.mark.parametrize("directory", EXAMPLES)
def test_every_example_matches_its_data(directory: str) -> None:
    file = ROOT / directory / "housectl.yaml"
    project = load_config(file)
    table = read_table(file.parent / project.data, project.schema_record)
    for feature in project.schema_record.features:
        column = table.numbers[feature.name]
        assert (feature.name, min(column), max(column)) == (
            feature.name,
            feature.minimum,
            feature.maximum,
        )


def test_boston_file_describes_every_column() -> None:
    schema = load_config(ROOT / "housectl.yaml").schema_record
    assert len(schema.features) == 12
    assert all(feature.unit and feature.description for feature in schema.features)
    assert schema.excluded_names == ("B",)
    assert (schema.target.unit, schema.target.response_key) == (
        "thousand dollars",
        "predicted_price",
    )


def test_original_program_is_a_project() -> None:
    project = load_config(ROOT / "examples/boston-original/housectl.yaml")
    space = project.experiment("x").spaces[Family.RANDOM_FOREST]
    assert space.parameters == (
        Parameter(name="n_estimators", kind=ParameterKind.INT, minimum=100, maximum=400),
    )
    assert space.enqueued == ({"n_estimators": 100}, {"n_estimators": 300})
    assert len(project.schema_record.features) == 13
    assert project.split_record == Split(method=SplitMethod.SHUFFLE, holdout=0.2)


def test_json_schema_file_is_current() -> None:
    assert (ROOT / "housectl.schema.json").read_text() == json_schema()


def test_json_schema_describes_every_field() -> None:
    schema = json.loads(json_schema())
    assert schema["properties"].keys() == ProjectConfig.model_fields.keys()
    descriptions = {
        f"#/$defs/{name}": definition.get("description")
        for name, definition in schema["$defs"].items()
    }
    for field in schema["properties"].values():
        assert field.get("description") or descriptions[field["$ref"]]
    assert schema["required"] == ["name", "data", "target", "features"]
    assert schema["additionalProperties"] is False
