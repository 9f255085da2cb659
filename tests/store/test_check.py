"""`housectl store check`, on stores with every kind of damage."""

import hashlib
import os
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

import housectl
from housectl.contract.bundle_record import BUNDLE_FILE, MODEL_FILE
from housectl.contract.golden import GOLDEN_FILE
from housectl.contract.regular_files import MAX_MODEL_BYTES
from housectl.contract.temp_files import TEMP_PREFIX
from housectl.errors import ExitStatus, UsageError
from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.checking import file_list, store_check
from housectl.store.checking.file_list import RECORD_NAMES
from housectl.store.checking.record_checks import RECORD_CHECKS
from housectl.store.factory import open_store
from housectl.store.layout import (
    BUNDLES,
    COMPARISONS,
    FOLDERS,
    HISTORY,
    bundle_key,
    challenger_key,
    comparison_key,
    entry_key,
    evidence_file_key,
    failed_verification_key,
    lock_key,
    step_key,
)
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle
from tests.shares import ShareReceiver
from tests.store.contract import DAMAGES, EVIDENCE_DAMAGES, Damage, evidence_of
from tests.store.filled import HOLDOUT_ROWS, LOCK, add_champion, fill, problem_keys
from tests.strace import inject_fault
from tools.project_directory import ProjectDirectory, example
from tools.s3_server import S3Server


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "a store")
    fill(store, tmp_path)
    return store


def champion_key(store: ChampionStore, number: int) -> str:
    return bundle_key(store.history()[number - 1].bundle)


def damage_file(store: ChampionStore, key: str, damage: Damage) -> None:
    before = store._read(key)
    store._write(key, damage(before))
    assert store._read(key) != before


def test_each_folder_of_the_layout_is_checked() -> None:
    assert {BUNDLES, *RECORD_NAMES} == {BUNDLES, HISTORY, *RECORD_CHECKS} == {*FOLDERS}


def test_valid_store_has_no_problem(store: LocalStore) -> None:
    shares: list[float] = []
    report = housectl.check_store(store.path, progress=ShareReceiver(shares.append))
    files = list(store._files())
    assert report.problems == report.notes == ()
    assert (report.bundles, report.entries, report.files) == (3, 3, len(files))
    assert report.size == sum(file.size for file in files)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_empty_store_is_no_valid_store(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is empty or missing"):
        housectl.check_store(tmp_path)


def test_unused_bundle_is_only_a_note(store: LocalStore, tmp_path: Path) -> None:
    unused = make_bundle(tmp_path, base=9.0)
    store.add_bundle(unused)
    report = housectl.check_store(store.path)
    assert report.problems == ()
    (note,) = report.notes
    assert unused.version in note


@pytest.mark.parametrize("name", [MODEL_FILE, GOLDEN_FILE, BUNDLE_FILE])
def test_altered_file_of_a_bundle_is_found(store: LocalStore, name: str) -> None:
    key = f"{champion_key(store, 2)}/{name}"
    damage_file(store, key, lambda data: data[:-2] + b"x\n")
    assert problem_keys(store) == {key: "invalid"}


def test_bundle_under_the_digest_of_another_one_is_found(store: LocalStore) -> None:
    first, second = (store.path / champion_key(store, number) for number in (1, 2))
    shutil.rmtree(first)
    shutil.copytree(second, first)
    assert problem_keys(store) == {f"{champion_key(store, 1)}/{BUNDLE_FILE}": "invalid"}


def test_missing_files_of_a_bundle_are_found(store: LocalStore) -> None:
    key = champion_key(store, 2)
    for name in (MODEL_FILE, GOLDEN_FILE):
        (store.path / key / name).unlink()
    assert problem_keys(store) == {
        f"{key}/{MODEL_FILE}": "missing",
        f"{key}/{GOLDEN_FILE}": "missing",
    }


def test_missing_bundle_is_found_from_the_records_that_name_it(
    store: LocalStore, tmp_path: Path
) -> None:
    sealed = make_bundle(tmp_path, base=9.0)
    store.add_challenger("sealed", sealed, evidence_of(sealed))
    champion = champion_key(store, 1)
    for key in (champion, bundle_key(sealed.digest)):
        shutil.rmtree(store.path / key)
    report = housectl.check_store(store.path)
    of_champion, of_challenger = sorted(report.problems, key=lambda each: "backup" in each.hint)[
        ::-1
    ]
    assert f"{store.location(entry_key(1))} names it" in of_champion.cause
    assert "restore this folder from a backup" in of_champion.hint
    assert f"{store.location(challenger_key(4))} names it" in of_challenger.cause
    assert store.location(challenger_key(4)) in of_challenger.hint
    assert {problem.kind.value for problem in report.problems} == {"missing"}


def test_bundle_without_a_record_is_stray(store: LocalStore) -> None:
    folder = store.path / bundle_key("a" * 64)
    folder.mkdir()
    (folder / MODEL_FILE).write_bytes(b"half")
    assert problem_keys(store) == {bundle_key("a" * 64): "stray"}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_damaged_entry_is_found(store: LocalStore, damage: Damage, number: int) -> None:
    damage_file(store, entry_key(number), damage)
    problems = problem_keys(store)
    assert problems[entry_key(number)] == "invalid"
    assert problems.keys() <= {entry_key(number), entry_key(number + 1)}


def test_altered_entry_breaks_the_chain_at_the_next_one(store: LocalStore) -> None:
    damage_file(store, entry_key(1), lambda data: data.replace(b"a test", b"a fact"))
    assert problem_keys(store) == {entry_key(2): "invalid"}


def test_all_gaps_are_found(store: LocalStore, tmp_path: Path) -> None:
    for base in range(4, 9):
        add_champion(store, tmp_path, base=base)
    for number in (1, 4, 5):
        (store.path / entry_key(number)).unlink()
    shutil.copy(store.path / entry_key(8), store.path / entry_key(10**17))
    assert problem_keys(store) == {
        entry_key(1): "missing",
        entry_key(4): "missing",
        entry_key(9): "missing",
        entry_key(10**17): "invalid",
    }


@pytest.mark.parametrize("damage", EVIDENCE_DAMAGES)
def test_damaged_evidence_is_found(store: LocalStore, tmp_path: Path, damage: Damage) -> None:
    key = evidence_file_key(evidence_of(make_bundle(tmp_path / "again")).key)
    damage_file(store, key, damage)
    assert problem_keys(store) == {key: "invalid"}


def test_records_under_the_name_of_another_one_are_found(store: LocalStore) -> None:
    digests = [entry.bundle for entry in store.history()]
    copies = {
        evidence_file_key(digests[0]): evidence_file_key("a" * 64),
        challenger_key(1): challenger_key(4),
        failed_verification_key(digests[0]): failed_verification_key(digests[1]),
        step_key("tune"): step_key("promote"),
        lock_key(hashlib.sha256(LOCK).hexdigest()): lock_key("a" * 64),
        comparison_key(HOLDOUT_ROWS, digests[0]): comparison_key(HOLDOUT_ROWS, "a" * 64),
    }
    for original, copy in copies.items():
        shutil.copy(store.path / original, store.path / copy)
    assert problem_keys(store) == dict.fromkeys(copies.values(), "invalid")


def test_record_of_a_newer_format_is_reported(store: LocalStore) -> None:
    newer = partial(re.sub, rb'"schema_version": \d+', b'"schema_version": 99')
    damage_file(store, challenger_key(2), newer)
    (problem,) = housectl.check_store(store.path).problems
    assert problem.file == store.location(challenger_key(2))
    assert problem.cause.startswith("The record has format 99, but this housectl reads up to")


def test_every_problem_of_a_store_is_found_at_once(store: LocalStore) -> None:
    model = f"{champion_key(store, 2)}/{MODEL_FILE}"
    for key in (model, entry_key(3), challenger_key(1)):
        store._write(key, b"noise")
    store._write("history/3.json~", b"")
    assert problem_keys(store) == {
        model: "invalid",
        entry_key(3): "invalid",
        challenger_key(1): "invalid",
        "history/3.json~": "stray",
    }


def hostile_files(root: Path, elsewhere: Path) -> dict[str, str]:
    """Add files that no store has, or of the wrong kind; return the kinds of their problems."""
    (root / "link.json").symlink_to(elsewhere)
    (root / BUNDLES / ("b" * 64)).symlink_to(elsewhere, target_is_directory=True)
    os.mkfifo(root / HISTORY / "4.json")
    os.mkfifo(root / "evidence" / f"{'c' * 64}.json")
    (root / "challengers" / "4.json").symlink_to("/dev/zero")
    (root / BUNDLES / ("d" * 64)).mkdir()
    (root / BUNDLES / "line\nbreak").write_bytes(b"")
    (root / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"")
    (root / "a" / "b" / "c" / "d").mkdir(parents=True)
    comparisons = root / COMPARISONS
    (comparisons / HOLDOUT_ROWS).mkdir(parents=True, exist_ok=True)
    (comparisons / HOLDOUT_ROWS / "notes.txt").write_bytes(b"")
    (comparisons / HOLDOUT_ROWS / ("e" * 64)).write_bytes(b"")
    (comparisons / "rows").write_bytes(b"")
    os.mkfifo(root / comparison_key(HOLDOUT_ROWS, "f" * 64))
    (comparisons / ("9" * 64)).mkdir()  # the writer of its first file was killed
    return {
        f"{COMPARISONS}/{HOLDOUT_ROWS}/notes.txt": "stray",
        f"{COMPARISONS}/{HOLDOUT_ROWS}/{'e' * 64}": "stray",
        f"{COMPARISONS}/rows": "stray",
        comparison_key(HOLDOUT_ROWS, "f" * 64): "invalid",
        "link.json": "stray",
        bundle_key("b" * 64): "stray",
        entry_key(4): "invalid",
        evidence_file_key("c" * 64): "invalid",
        challenger_key(4): "invalid",
        bundle_key("d" * 64): "stray",
        f"{BUNDLES}/line\nbreak": "stray",
        os.fsdecode(b"not-utf8-\xff"): "stray",
        "a": "stray",
    }


def test_hostile_files_are_reported(store: LocalStore, tmp_path: Path) -> None:
    (store.path / HISTORY / f"{TEMP_PREFIX}4.json-1").write_bytes(b"")
    expected = hostile_files(store.path, tmp_path)
    assert problem_keys(store) == expected


def test_folders_of_the_wrong_kind_are_reported(store: LocalStore, tmp_path: Path) -> None:
    bundles = store.path / BUNDLES
    bundles.rename(tmp_path / BUNDLES)
    bundles.symlink_to(tmp_path / BUNDLES)
    shutil.rmtree(store.path / "evidence")
    (store.path / "evidence").write_bytes(b"")
    assert problem_keys(store) == {BUNDLES: "stray", "evidence": "stray"}


def test_huge_files_are_not_read(store: LocalStore) -> None:
    model = f"{champion_key(store, 2)}/{MODEL_FILE}"
    for key, size in ((model, MAX_MODEL_BYTES + 1), (entry_key(3), 2**40)):
        with (store.path / key).open("r+b") as file:
            file.truncate(size)
    assert problem_keys(store) == {model: "invalid", entry_key(3): "invalid"}


def test_hints_repair_a_store_without_champions(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "a store")
    for base in (1.0, 2.0):
        bundle = make_bundle(tmp_path, base=base)
        store.add_challenger(f"experiment-{base:g}", bundle, evidence_of(bundle))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (store.path / HISTORY).mkdir()
    hostile_files(store.path, elsewhere)
    (store.path / HISTORY / "4.json").unlink()
    store._write(f"{bundle_key(bundle.digest)}/{MODEL_FILE}", b"noise")
    store._write(evidence_file_key(bundle.digest), b"noise")
    for problem in housectl.check_store(store.path).problems:
        subprocess.run(["bash", "-c", problem.hint], check=True)
    (foreign,) = housectl.check_store(store.path).problems
    assert "remove this folder if nobody needs it" in foreign.hint
    shutil.rmtree(foreign.file)
    assert housectl.check_store(store.path).problems == ()
    assert elsewhere.exists()


def add_strays(store: ChampionStore, number: int) -> None:
    for name in range(number):
        store._write(f"{HISTORY}/stray-{name}", b"")


def test_number_of_shown_problems_is_limited(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_check, "MAX_PROBLEMS", 20)
    add_strays(store, 30)
    report = housectl.check_store(store.path)
    assert len(report.problems) == 20
    assert report.problem_count == 30


def test_number_of_files_is_limited(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (store_check, file_list):
        monkeypatch.setattr(module, "MAX_FILES", 10)
    problem = housectl.check_store(store.path).problems[0]
    assert problem.cause == "it has more than 10 files; the others were not checked"


def test_damaged_bucket_is_checked(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    address = StoreAddress.parse(f"s3://{s3.new_bucket()}/a/b")
    store = open_store(address, cache=tmp_path / "cache")
    fill(store, tmp_path)
    assert problem_keys(store) == {}
    first, second = (store.bundle(entry.bundle) for entry in store.history()[:2])
    model = f"{bundle_key(first.digest)}/{MODEL_FILE}"
    damage_file(store, model, lambda data: data[:-1] + b"x")
    store._delete(f"{bundle_key(second.digest)}/{BUNDLE_FILE}")
    store._delete(entry_key(1))
    for key in (f"{bundle_key('a' * 64)}/{MODEL_FILE}", "other/a/b", f"{HISTORY}/a/b"):
        store._write(key, b"half")
    assert problem_keys(store) == {
        model: "invalid",
        bundle_key(second.digest): "missing",
        entry_key(1): "missing",
        bundle_key("a" * 64): "stray",
        "other": "stray",
        f"{HISTORY}/a": "stray",
    }


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    project = example(".", tmp_path / "boston")
    fill(LocalStore(project.store), tmp_path)
    return project


@pytest.mark.slow
def test_command_checks_the_store_of_the_project(project: ProjectDirectory, tmp_path: Path) -> None:
    valid = project.run_ok("store", "check", "--json")
    assert valid.json["problems"] == []
    assert valid.json["bundles"] == valid.json["history_entries"] == 3
    (project.store / "notes.txt").write_text("")
    damaged = project.run("store", "check", "--json")
    assert damaged.status == ExitStatus.BUNDLE
    assert [problem["problem"] for problem in damaged.json["problems"]] == ["stray"]  # type: ignore[attr-defined]
    outside = ProjectDirectory(tmp_path)
    for arguments, variables in (
        ((str(project.store),), {}),
        ((), {"HOUSECTL_STORE": str(project.store)}),
        (("-C", str(project.path)), {}),
    ):
        text = outside.run("store", "check", *arguments, **variables)
        assert text.status == ExitStatus.BUNDLE
        assert re.search(r"stray +\S*notes.txt .*rm -f", text.out)
    assert outside.run("store", "check").status == ExitStatus.USAGE


@pytest.mark.strace
def test_unreadable_folder_does_not_end_the_check(project: ProjectDirectory) -> None:
    folder = project.store / HISTORY
    damage_file(LocalStore(project.store), challenger_key(1), lambda data: data[1:])
    wrapper = (*inject_fault("openat", "error=EACCES"), "-P", str(folder))
    output = project.run("store", "check", "--json", wrapper=wrapper)
    assert output.status == ExitStatus.BUNDLE
    files = {problem["file"]: problem["hint"] for problem in output.json["problems"]}  # type: ignore[attr-defined]
    assert files.keys() == {str(folder), str(project.store / challenger_key(1))}
    assert files[str(folder)].startswith("ls -l ")
