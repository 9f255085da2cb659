"""`housectl store copy`: backups and migrations, killed, repeated, refused and concurrent."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, product
from pathlib import Path

import pytest

import housectl
from housectl.contract.bundle_record import BUNDLE_FILE, MODEL_FILE
from housectl.errors import (
    ExitStatus,
    HistoryError,
    ObjectStoreError,
    StoreConflictError,
    UsageError,
)
from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.checking import file_list
from housectl.store.factory import open_store
from housectl.store.layout import (
    BUNDLES,
    CHALLENGERS,
    COMPARISONS,
    EVIDENCE,
    HISTORY,
    REQUIREMENTS,
    STEPS,
    VERIFICATIONS,
    bundle_key,
    challenger_key,
    entry_key,
    evidence_file_key,
)
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle, promote
from tests.servers.s3_proxy import Fault, S3Proxy, S3Request, s3_proxy
from tests.shares import ShareReceiver
from tests.store.contract import evidence_of
from tests.store.filled import add_champion, content, fill, problem_keys
from tests.strace import inject_fault
from tools.project_directory import HOUSECTL, ProjectDirectory, clean_environment
from tools.s3_server import S3Server

KILLED = -9
CHANGES = "rename,renameat,renameat2,link,linkat,fsync,unlink,unlinkat,mkdir,rmdir"

Create = Callable[[str], ChampionStore]


@pytest.fixture(params=[("path", "path"), ("s3", "s3")], ids="-".join)
def sides(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Kinds of the source and the target."""
    kinds: tuple[str, str] = request.param
    return kinds


@pytest.fixture
def create(tmp_path: Path, request: pytest.FixtureRequest) -> Create:
    """Return a function that returns a new store of a kind."""
    numbers = count()

    def create_store(kind: str) -> ChampionStore:
        if kind == "path":
            return LocalStore(tmp_path / f"store {next(numbers)}")
        server: S3Server = request.getfixturevalue("s3")
        monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        return open_bucket(server.new_bucket())

    return create_store


def open_bucket(bucket: str) -> ChampionStore:
    return open_store(StoreAddress.parse(f"s3://{bucket}/a/b"), cache=None)


@pytest.fixture
def source(create: Create, sides: tuple[str, str], tmp_path: Path) -> ChampionStore:
    store = create(sides[0])
    fill(store, tmp_path)
    return store


@pytest.fixture
def target(create: Create, sides: tuple[str, str]) -> ChampionStore:
    return create(sides[1])


ALL_SIDES = pytest.mark.parametrize(
    "sides", list(product(("path", "s3"), repeat=2)), ids="-".join, indirect=True
)
ON_PATHS = pytest.mark.parametrize("sides", [("path", "path")], ids="-".join, indirect=True)


def copy(source: ChampionStore, target: ChampionStore) -> housectl.CopyReport:
    return housectl.copy_store(source.location(), target.location())


def copied(report: housectl.CopyReport) -> dict[str, int]:
    return {folder: number for folder, number in report.copied.items() if number}


def assert_valid(store: ChampionStore) -> None:
    """Check that a killed or refused copy left a valid chain, whose entries have their bundles."""
    for entry in store.history():
        store.bundle(entry.bundle)


@ALL_SIDES
def test_copy_has_every_byte(source: ChampionStore, target: ChampionStore) -> None:
    shares: list[float] = []
    report = housectl.copy_store(
        source.location(), target.location(), progress=ShareReceiver(shares.append)
    )
    assert content(target) == content(source)
    assert report.copied == {
        BUNDLES: 3,
        HISTORY: 3,
        CHALLENGERS: 3,
        EVIDENCE: 4,
        VERIFICATIONS: 1,
        REQUIREMENTS: 1,
        STEPS: 1,
        COMPARISONS: 3,
    }
    assert set(report.kept.values()) == {0}
    assert report.size == sum(map(len, content(source).values()))
    assert report.problems == ()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@ALL_SIDES
def test_second_copy_only_adds(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    copy(source, target)
    before = [*target._files()]
    shares: list[float] = []
    again = housectl.copy_store(
        source.location(), target.location(), progress=ShareReceiver(shares.append)
    )
    assert shares[-1] == 1.0
    assert (again.size, sum(again.copied.values())) == (0, 0)
    assert [*target._files()] == before
    add_champion(source, tmp_path, base=9.0)
    report = copy(source, target)
    assert copied(report) == {BUNDLES: 1, EVIDENCE: 2, HISTORY: 1, CHALLENGERS: 1}
    assert content(target) == content(source)


def test_copy_can_be_continued_as_a_store(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    copy(source, target)
    add_champion(target, tmp_path, base=9.0)
    assert len(target.history()) == 4
    report = copy(target, source)
    assert (report.kept[HISTORY], report.copied[HISTORY]) == (3, 1)
    assert content(target) == content(source)


def test_store_without_champion_is_copied(
    target: ChampionStore, create: Create, sides: tuple[str, str], tmp_path: Path
) -> None:
    sealed = create(sides[0])
    bundle = make_bundle(tmp_path, base=9.0)
    sealed.add_challenger("tuned", bundle, evidence_of(bundle))
    copy(sealed, target)
    assert content(target) == content(sealed)


def test_empty_source_and_source_as_target_are_refused(
    source: ChampionStore, target: ChampionStore
) -> None:
    with pytest.raises(UsageError, match="it is empty or missing"):
        copy(target, source)
    with pytest.raises(UsageError, match="cannot be copied to itself"):
        copy(source, source)


@ON_PATHS
def test_source_with_too_many_files_is_refused(
    source: ChampionStore, target: ChampionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_list, "MAX_FILES", 10)
    with pytest.raises(UsageError, match="it has more than"):
        copy(source, target)
    assert content(target) == {}


def test_target_with_another_history_is_refused(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    fill(target, tmp_path / "other", champions=2)
    before = content(target)
    with pytest.raises(StoreConflictError) as error:
        copy(source, target)
    assert "its history entry 1 is another one" in error.value.message
    assert content(target) == before


def test_target_that_diverged_is_refused(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    copy(source, target)
    add_champion(source, tmp_path, base=8.0)
    promote(target, make_bundle(tmp_path, base=9.0))
    before = content(target)
    for one, other in ((source, target), (target, source)):
        with pytest.raises(StoreConflictError, match="its history entry 4 is another one"):
            copy(one, other)
    assert content(target) == before


def test_target_that_is_ahead_is_refused(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    copy(source, target)
    add_champion(target, tmp_path, base=9.0)
    before = content(target)
    with pytest.raises(StoreConflictError, match="and newer ones") as error:
        copy(source, target)
    assert content(target) == before
    command = error.value.hint.partition("#")[0].replace("housectl", str(HOUSECTL), 1)
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    assert content(source) == content(target)


def test_target_with_another_challenger_is_refused(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    copy(source, target)
    for store, base in ((source, 8.0), (target, 9.0)):
        bundle = make_bundle(tmp_path, base=base)
        store.add_challenger("tuned", bundle, evidence_of(bundle))
    before = content(target)
    with pytest.raises(StoreConflictError, match="is another challenger"):
        copy(source, target)
    assert content(target) == before


@pytest.mark.parametrize("which", ["source", "target"])
def test_damaged_history_is_refused(
    source: ChampionStore, target: ChampionStore, which: str
) -> None:
    copy(source, target)
    damaged = {"source": source, "target": target}[which]
    damaged._write(entry_key(2), b"noise")
    before = content(target)
    with pytest.raises(HistoryError) as error:
        copy(source, target)
    assert damaged.location(entry_key(2)) in error.value.message
    assert content(target) == before


def test_invalid_files_of_the_source_are_not_copied(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    second = source.history()[1].bundle
    source._write(f"{bundle_key(second)}/{MODEL_FILE}", b"noise")
    source._write(evidence_file_key(second), b"noise")
    report = copy(source, target)
    problems = {problem.file.removeprefix(f"{source.location('')}") for problem in report.problems}
    assert {name.lstrip("/") for name in problems} == {
        bundle_key(second),
        evidence_file_key(second),
    }
    assert all("housectl store check" in problem.hint for problem in report.problems)
    assert_valid(target)
    assert [entry.number for entry in target.history()] == [1]
    assert report.copied[CHALLENGERS] == 2
    source._write(
        f"{bundle_key(second)}/{MODEL_FILE}", make_bundle(tmp_path / "again", base=2.0).model
    )
    source._write(
        evidence_file_key(second), evidence_of(make_bundle(tmp_path / "c", base=2.0)).to_json()
    )
    assert copy(source, target).problems == ()
    assert content(target) == content(source)


def test_missing_bundle_of_the_source_ends_the_history(
    source: ChampionStore, target: ChampionStore
) -> None:
    third = source.history()[2].bundle
    source._delete(f"{bundle_key(third)}/{BUNDLE_FILE}")
    report = copy(source, target)
    assert {problem.kind.value for problem in report.problems} == {"missing"}
    assert [entry.number for entry in target.history()] == [1, 2]
    assert not target.has_bundle(third)


def test_bundle_without_record_and_stray_files_are_not_copied(
    source: ChampionStore, target: ChampionStore
) -> None:
    expected = content(source)
    for key in (f"{bundle_key('a' * 64)}/{MODEL_FILE}", "notes.txt", f"{HISTORY}/4.json~"):
        source._write(key, b"half")
    assert copy(source, target).problems == ()
    assert content(target) == expected


def test_damaged_target_is_repaired(source: ChampionStore, target: ChampionStore) -> None:
    copy(source, target)
    expected = content(target)
    first, second, third = (entry.bundle for entry in source.history())
    target._write(f"{bundle_key(first)}/{MODEL_FILE}", b"noise")
    target._delete(f"{bundle_key(second)}/{BUNDLE_FILE}")
    target._write(evidence_file_key(third), b"noise")
    target._write(challenger_key(1), b"noise")
    report = copy(source, target)
    assert copied(report) == {BUNDLES: 2, EVIDENCE: 1, CHALLENGERS: 1}
    assert content(target) == expected


def test_altered_byte_in_the_target_is_found_before_its_entry_is_copied(
    source: ChampionStore, target: ChampionStore
) -> None:
    third = source.history()[2]
    copy(source, target)
    target._delete(entry_key(third.number))
    model = f"{bundle_key(third.bundle)}/{MODEL_FILE}"
    target._write(model, target._read(model)[:-1] + b"x")
    assert copy(source, target).copied[BUNDLES] == 1
    assert problem_keys(target) == {}


def test_two_copies_at_once_make_one(source: ChampionStore, target: ChampionStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: copy(source, target), range(4)))
    assert content(target) == content(source)
    assert sum(report.copied[HISTORY] for report in reports) >= 3


def test_promotions_during_a_copy_leave_valid_copies(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    def promote_more() -> None:
        for base in range(10, 22):
            add_champion(source, tmp_path, base=base)

    with ThreadPoolExecutor(1) as pool:
        promotions = pool.submit(promote_more)
        while not promotions.done():
            assert copy(source, target).problems == ()
            assert_valid(target)
    copy(source, target)
    assert content(target) == content(source)


def test_promotion_in_the_target_during_a_copy_is_kept(
    source: ChampionStore, target: ChampionStore, tmp_path: Path
) -> None:
    def promote_in_target(share: float) -> None:
        if share and not target.history():
            promote(target, make_bundle(tmp_path, base=9.0))

    progress = ShareReceiver(promote_in_target)
    with pytest.raises(StoreConflictError, match="its history entry 1 is another one"):
        housectl.copy_store(source.location(), target.location(), progress=progress)
    assert_valid(target)
    assert len(target.history()) == 1


@pytest.fixture
def directory(tmp_path: Path) -> ProjectDirectory:
    return ProjectDirectory(tmp_path)


@ON_PATHS
@pytest.mark.slow
@pytest.mark.strace
def test_killed_copy_is_continued(
    target: ChampionStore, create: Create, directory: ProjectDirectory, tmp_path: Path
) -> None:
    source = create("path")
    fill(source, tmp_path, champions=2)
    lengths = []
    for number in count(2, 2):
        wrapper = inject_fault(CHANGES, f"signal=KILL:when={number}")
        output = directory.run(
            "store", "copy", source.location(), target.location(), wrapper=wrapper
        )
        assert_valid(target)
        lengths.append(len(target.history()))
        if output.status == 0:
            break
        assert output.status == KILLED
    assert lengths == sorted(lengths)
    assert len(lengths) > 2
    assert content(target) == content(source)


@ON_PATHS
@pytest.mark.strace
@pytest.mark.parametrize(("call", "error"), [("fsync", "ENOSPC"), ("mkdir", "EROFS")])
def test_full_disk_and_read_only_target_are_reported(
    source: ChampionStore,
    target: ChampionStore,
    directory: ProjectDirectory,
    call: str,
    error: str,
) -> None:
    arguments = ("store", "copy", source.location(), target.location())
    output = directory.run(*arguments, wrapper=inject_fault(call, f"error={error}"))
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT
    assert f"Cannot write {target.location()}" in output.err
    assert "Traceback" not in output.err
    assert target.history() == ()


@ON_PATHS
@pytest.mark.slow
def test_command_reports_counts_and_problems(
    source: ChampionStore, target: ChampionStore, directory: ProjectDirectory
) -> None:
    arguments = ("store", "copy", source.location(), target.location())
    first = directory.run_ok(*arguments, "--json").json
    assert first["copied"]["history"] == 3  # type: ignore[index]
    assert directory.run_ok(*arguments).err == "All files were valid.\n"
    source._write(challenger_key(1), b"noise")
    damaged = directory.run(*arguments)
    assert damaged.status == ExitStatus.BUNDLE
    assert "housectl store check" in damaged.out


@pytest.fixture
def proxy(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Proxy]:
    with s3_proxy(s3) as proxy:
        for name, value in proxy.server.environment.items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.mark.slow
def test_copy_to_a_bucket_that_is_killed_at_a_request_is_continued(
    proxy: S3Proxy, tmp_path: Path
) -> None:
    source = LocalStore(tmp_path / "store")
    fill(source, tmp_path, champions=2)
    target = open_bucket(proxy.server.new_bucket())
    lengths = []
    for number in count(4, 5):
        process = subprocess.Popen(
            [HOUSECTL, "store", "copy", source.location(), target.location()],
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
        )
        proxy.choose_fault = kill_at(process, proxy, number)
        status = process.wait()
        proxy.fail_none()
        assert_valid(target)
        lengths.append(len(target.history()))
        if status == 0:
            break
        assert status == KILLED
    assert lengths == sorted(lengths)
    assert len(lengths) > 2
    assert content(target) == content(source)


def kill_at(
    process: "subprocess.Popen[bytes]", proxy: S3Proxy, number: int
) -> Callable[[S3Request], Fault | None]:
    target = len(proxy.requests) + number

    def choose(_: S3Request) -> Fault | None:
        if len(proxy.requests) < target:
            return None
        process.kill()
        return Fault.CUT_AFTER if number % 2 else Fault.CUT_BEFORE

    return choose


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.CONFLICT])
def test_copy_survives_faults_of_requests(proxy: S3Proxy, tmp_path: Path, fault: Fault) -> None:
    source = LocalStore(tmp_path / "store")
    fill(source, tmp_path, champions=1)
    for number in range(0, 40, 9):
        target = open_bucket(proxy.server.new_bucket())
        proxy.fail_nth(number, fault)
        with suppress(ObjectStoreError):
            copy(source, target)
        proxy.fail_none()
        assert_valid(target)
        copy(source, target)
        assert content(target) == content(source)
