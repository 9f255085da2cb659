"""The contract of every champion store. Tests of an implementation inherit `StoreContract`."""

import hashlib
import itertools
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle
from housectl.contract.bundle_record import BUNDLE_FILE, MODEL_FILE
from housectl.contract.evidence import Errors, Evidence
from housectl.contract.history import Action, History, HistoryEntry
from housectl.contract.regular_files import MAX_RECORD_BYTES
from housectl.errors import (
    BundleError,
    ConcurrentUpdateError,
    EvidenceError,
    HistoryError,
    InputsError,
    NewerFormatError,
    NoChallengerError,
    NoChampionError,
    UsageError,
)
from housectl.store.base import ChampionStore
from housectl.store.comparisons import ComparisonRecord
from housectl.store.failed_verifications import FailedVerification
from housectl.store.layout import (
    HISTORY,
    bundle_key,
    challenger_key,
    comparison_key,
    entry_key,
    evidence_file_key,
    lock_key,
    step_key,
)
from housectl.store.step_records import StepRecord, StepState
from housectl.store.storage import FileKind
from tests.server.bundles import make_bundle, promote

WRITERS = 8


def evidence_of(bundle: Bundle) -> Evidence:
    errors = Errors(holdout_mse=9.0, fold_mses=(9.0, 10.0) * 25)
    return Evidence(
        bundle=bundle.digest,
        recipe=bundle.record.recipe,
        holdout_rows="0" * 64,
        model=errors,
        mean=errors,
        linear=errors,
    )


def stored_bundle(store: ChampionStore, parent: Path, *, base: float = 20.0) -> Bundle:
    """Make a bundle, and return it as the store returns it."""
    digest = make_bundle(parent, base=base).digest
    store.add_bundle(make_bundle(parent / "again", base=base))
    return store.bundle(digest)


def try_commit(store: ChampionStore, bundle: Bundle, champion_number: int) -> HistoryEntry | None:
    history = store.read_history().until(champion_number)
    try:
        return store.commit(bundle, action=Action.PROMOTION, reason="a test", history=history)
    except ConcurrentUpdateError:
        return None


Damage = Callable[[bytes], bytes]

DAMAGES: tuple[Damage, ...] = (
    lambda _: b"",
    lambda data: data[: len(data) // 2],
    lambda _: b"\x00 noise",
    lambda _: b"{}",
    lambda data: data.replace(b'"schema_version": 2', b'"schema_version": 0'),
    lambda data: data.replace(b'"schema_version": 2', b'"schema_version": 1'),
    lambda data: re.sub(rb'"nonce": .*', b'"nonce": null,', data),
    lambda data: re.sub(rb'"previous": .*', b'"previous": "0",', data),
)


EVIDENCE_DAMAGES: tuple[Damage, ...] = (
    lambda _: b"noise",
    lambda data: data.replace(b"9.0", b"-9.0"),
    lambda data: data.replace(b"9.0", b"NaN"),
    lambda data: data.replace(b"9.0", b"1e999"),
    lambda data: data.replace(b"9.0", b"1e308"),
    lambda data: data.replace(b"10.0,", b"", 1),
    lambda data: data.replace(b"10.0,", b"10.0, 10.0,", 1),
    lambda data: data.replace(b"0" * 64, b"0" * 63),
    lambda data: re.sub(rb'"schema_version": \d', b'"schema_version": -5', data),
    lambda data: data.replace(b'"holdout_mse"', b'"holdout_mae": -1.0, "holdout_mse"', 1),
    lambda data: data.replace(b'"holdout_mse"', b'"holdout_mae": 1e99, "holdout_mse"', 1),
    lambda data: data.replace(b'"holdout_rows"', b'"holdout_variance": -1, "holdout_rows"'),
)


def assert_history_is_damaged(store: ChampionStore, bundle: Bundle, *, mentioned: int) -> None:
    """Check that nothing reads a history or adds to it; the error names the damaged entry."""
    reads: tuple[Callable[[], object], ...] = (
        store.history,
        store.champion,
        store.require_champion,
        *(partial(try_commit, store, bundle, number) for number in range(5)),
    )
    for read in reads:
        with pytest.raises(HistoryError) as error:
            read()
        assert store.location(entry_key(mentioned)) in error.value.message
        assert store.location(HISTORY) in error.value.hint


class StoreContract:
    """A subclass defines a fixture `store`: a store that does not exist yet."""

    def test_first_failed_verification_of_a_bundle_is_kept(self, store: ChampionStore) -> None:
        assert store.failed_bundles() == frozenset()
        for bundle, champion in (("a" * 64, 1), ("b" * 64, 2), ("a" * 64, 3)):
            store.add_failed_verification(
                FailedVerification(
                    bundle=bundle, champion=champion, url="http://a", failed=("fresh rows",), at=""
                )
            )
        assert store.failed_bundles() == {"a" * 64, "b" * 64}

    def test_challengers_are_counted_once_for_the_same_rows(self, store: ChampionStore) -> None:
        rows, others = "0" * 64, "1" * 64
        counts = [
            store.add_comparison(challenger * 64, holdout_rows=rows) for challenger in "aabcab"
        ]
        assert counts == [1, 1, 2, 3, 3, 3]
        assert store.add_comparison("a" * 64, holdout_rows=others) == 1
        record = ComparisonRecord(holdout_rows=rows, challenger="b" * 64)
        assert store._read(comparison_key(rows, "b" * 64)) == record.to_json()

    def test_step_record_is_replaced(self, store: ChampionStore) -> None:
        assert store.step_record("tune") is None
        for state in StepState:
            record = StepRecord(
                step="tune", state=state, inputs={"seed": "42"}, experiment="first", at="now"
            )
            store.write_step_record(record)
            assert store.step_record("tune") == record
        assert store.step_record("promote") is None

    @pytest.mark.parametrize("damage", DAMAGES[:4], ids=["empty", "half", "noise", "other"])
    def test_malformed_step_record_counts_as_missing(
        self, store: ChampionStore, damage: Damage
    ) -> None:
        record = StepRecord(step="wait", state=StepState.DONE, inputs={}, at="now")
        store._write(step_key("wait"), damage(record.to_json()))
        assert store.step_record("wait") is None
        store.write_step_record(record)
        assert store.step_record("wait") == record

    def test_too_large_step_record_counts_as_missing(self, store: ChampionStore) -> None:
        store._write(step_key("wait"), bytes(MAX_RECORD_BYTES + 1))
        assert store.step_record("wait") is None

    def test_missing_store_is_empty(self, store: ChampionStore) -> None:
        assert store.history() == ()
        assert store.history_revision(0) == store.history_revision(0)
        assert store.champion() is None
        assert store.evidence("0" * 64) is None
        assert store.challenger("tuned") is None
        with pytest.raises(NoChampionError) as no_champion:
            store.require_champion()
        assert store.location() in no_champion.value.message
        with pytest.raises(NoChallengerError):
            store.newest_challenger()

    def test_bundle_is_returned_as_added(self, store: ChampionStore, tmp_path: Path) -> None:
        bundle = make_bundle(tmp_path)
        store.add_bundle(bundle)
        stored = store.bundle(bundle.digest)
        assert stored.digest == bundle.digest
        assert stored.record == bundle.record
        assert stored.content == bundle.content
        assert stored.location == store.location(bundle_key(bundle.digest))
        assert store.bundle_uri(bundle.digest).endswith(bundle_key(bundle.digest))
        assert "://" in store.bundle_uri(bundle.digest)

    def test_all_files_are_listed_with_their_sizes(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        assert list(store._files()) == []
        bundle = make_bundle(tmp_path)
        store.add_challenger("tuned", bundle, evidence_of(bundle))
        promote(store, bundle)
        store._write("notes.txt", b"four")
        files = {file.key: file.size for file in store._files()}
        assert files.keys() == {
            "notes.txt",
            challenger_key(1),
            entry_key(1),
            *map(evidence_file_key, (bundle.digest, evidence_of(bundle).key)),
            *(f"{bundle_key(bundle.digest)}/{name}" for name in (*bundle.content, BUNDLE_FILE)),
        }
        assert files["notes.txt"] == 4
        assert all(size == len(store._read(key)) for key, size in files.items())
        assert {file.kind for file in store._files()} == {FileKind.REGULAR}

    def test_deleted_file_is_missing(self, store: ChampionStore) -> None:
        store._delete("notes.txt")
        store._write("notes.txt", b"four")
        store._delete("notes.txt")
        assert list(store._files()) == []
        assert store._create("notes.txt", b"again")

    def test_existing_bundle_is_kept(self, store: ChampionStore, tmp_path: Path) -> None:
        bundle = stored_bundle(store, tmp_path)
        store.add_bundle(bundle)
        assert store.bundle(bundle.digest).content == bundle.content

    def test_missing_bundle_is_reported(self, store: ChampionStore) -> None:
        with pytest.raises(BundleError) as error:
            store.bundle("0" * 64)
        assert store.location(bundle_key("0" * 64)) in error.value.message

    @pytest.mark.parametrize("name", [MODEL_FILE, BUNDLE_FILE])
    def test_altered_bundle_is_rejected(
        self, store: ChampionStore, tmp_path: Path, name: str
    ) -> None:
        bundle = stored_bundle(store, tmp_path)
        store._write(f"{bundle_key(bundle.digest)}/{name}", b"{}")
        with pytest.raises(BundleError):
            store.bundle(bundle.digest)
        with pytest.raises(BundleError):
            store.add_bundle(bundle)

    def test_champion_is_found_by_start_of_digest(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        digests = [make_bundle(tmp_path, base=base).digest for base in (1.0, 2.0)]
        for base in (1.0, 2.0):
            promote(store, make_bundle(tmp_path / "again", base=base))
        for digest in digests:
            assert store.find_champion(digest[:12]) == store.find_champion(digest) == digest

    @pytest.mark.parametrize("version", ["", "unknown", "*", ".", "../bundles"])
    def test_unknown_version_is_rejected(
        self, store: ChampionStore, tmp_path: Path, version: str
    ) -> None:
        promote(store, make_bundle(tmp_path))
        with pytest.raises(UsageError) as error:
            store.find_champion(version)
        assert repr(version) in error.value.message

    def test_bundle_that_never_was_champion_is_not_found(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        promote(store, make_bundle(tmp_path, base=1.0))
        with pytest.raises(UsageError):
            store.find_champion(stored_bundle(store, tmp_path, base=2.0).digest)

    @pytest.mark.parametrize("digest", ["", "0", "0" * 63, "../" + "0" * 61, "0" * 64 + "\n"])
    def test_invalid_digest_makes_no_path(self, store: ChampionStore, digest: str) -> None:
        for read in (store.bundle, store.evidence, store.bundle_uri):
            with pytest.raises(UsageError):
                read(digest)

    def test_entry_with_a_path_instead_of_a_digest_is_rejected(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        promote(store, make_bundle(tmp_path / "first"))
        bundle = store.bundle(make_bundle(tmp_path).digest)
        entry = store._read(entry_key(1)).replace(bundle.digest.encode(), b"../../elsewhere")
        store._write(entry_key(1), entry)
        assert_history_is_damaged(store, bundle, mentioned=1)

    def test_history_is_a_chain_of_commits(self, store: ChampionStore, tmp_path: Path) -> None:
        first = promote(store, make_bundle(tmp_path, base=1.0))
        second = promote(store, make_bundle(tmp_path, base=2.0))
        third = promote(store, make_bundle(tmp_path / "again", base=1.0), action=Action.ROLLBACK)
        assert store.history() == (first, second, third)
        assert [entry.number for entry in store.history()] == [1, 2, 3]
        assert first.previous is None
        assert len({first.previous, second.previous, third.previous}) == 3
        assert store.champion() == store.require_champion() == third
        assert third.bundle == first.bundle

    def test_revision_changes_with_each_entry(self, store: ChampionStore, tmp_path: Path) -> None:
        revisions = [store.history_revision(0)]
        for number in (1, 2):
            promote(store, make_bundle(tmp_path, base=float(number)))
            revisions.append(store.history_revision(number - 1))
            assert store.history_revision(number) == revisions[-1]
        assert all(one != other for one, other in itertools.combinations(revisions, 2))

    def test_lock_is_kept_under_its_digest(self, store: ChampionStore) -> None:
        digest = hashlib.sha256(b"numpy==2\n").hexdigest()
        assert store.lock(digest) is None
        for _ in range(2):
            store.add_lock(b"numpy==2\n")
        assert store.lock(digest) == "numpy==2\n"
        store._write(lock_key(digest), b"numpy==1\n")
        with pytest.raises(InputsError, match=digest):
            store.lock(digest)

    def test_bundle_is_found_by_start_of_digest(self, store: ChampionStore, tmp_path: Path) -> None:
        bundle = stored_bundle(store, tmp_path)
        assert store.find_bundle(bundle.digest[:8]) == bundle.digest
        for version in ("", "0" * 64, f"{bundle.digest}0"):
            with pytest.raises(UsageError, match="0 bundles have such a digest"):
                store.find_bundle(version)

    def test_late_commit_is_rejected(self, store: ChampionStore, tmp_path: Path) -> None:
        bundle = stored_bundle(store, tmp_path)
        entry = try_commit(store, bundle, 0)
        with pytest.raises(ConcurrentUpdateError) as error:
            store.commit(bundle, action=Action.PROMOTION, reason="late", history=History())
        assert "history entry 1, the promotion of" in error.value.message
        assert bundle.version in error.value.message
        assert error.value.hint.startswith("housectl promote")
        assert store.history() == (entry,)

    def test_one_of_concurrent_commits_succeeds(self, store: ChampionStore, tmp_path: Path) -> None:
        bundle = stored_bundle(store, tmp_path)
        with ThreadPoolExecutor(WRITERS) as writers:
            for number in range(3):
                commits = [
                    writers.submit(partial(try_commit, store, bundle, number))
                    for _ in range(WRITERS)
                ]
                created = [entry for commit in commits if (entry := commit.result())]
                assert [entry.number for entry in created] == [number + 1]
                assert store.champion() == created[0]
        assert len(store.history()) == 3

    def test_bundle_of_another_store_is_not_committed(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        with pytest.raises(ValueError, match="is not a bundle of the store"):
            try_commit(store, make_bundle(tmp_path), 0)
        assert store.champion() is None

    @pytest.mark.parametrize("number", [1, 2, 3])
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_damaged_history_stops_every_read_and_commit(
        self, store: ChampionStore, tmp_path: Path, damage: Damage, number: int
    ) -> None:
        bundle = stored_bundle(store, tmp_path)
        for champion_number in range(3):
            try_commit(store, bundle, champion_number)
        store._write(entry_key(number), damage(store._read(entry_key(number))))
        before = store._revisions(HISTORY)
        assert_history_is_damaged(store, bundle, mentioned=number)
        assert store._revisions(HISTORY) == before

    @pytest.mark.parametrize("missing", [1, 2])
    def test_gap_stops_every_read_and_commit(
        self, store: ChampionStore, tmp_path: Path, missing: int
    ) -> None:
        bundle = stored_bundle(store, tmp_path)
        for number in {1, 2, 3} - {missing}:
            store._write(entry_key(number), b"{}")
        before = store._revisions(HISTORY)
        assert_history_is_damaged(store, bundle, mentioned=missing)
        assert store._revisions(HISTORY) == before

    def test_entry_with_another_number_is_rejected(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        promote(store, make_bundle(tmp_path))
        store._write(entry_key(2), store._read(entry_key(1)))
        with pytest.raises(HistoryError, match="its number is 1 instead of 2"):
            store.history()

    def test_link_to_an_altered_entry_is_broken(self, store: ChampionStore, tmp_path: Path) -> None:
        promote(store, make_bundle(tmp_path, base=1.0))
        promote(store, make_bundle(tmp_path, base=2.0))
        store._write(entry_key(1), store._read(entry_key(1)) + b" ")
        with pytest.raises(HistoryError) as error:
            store.champion()
        assert store.location(entry_key(2)) in error.value.message

    def test_other_files_are_no_entries(self, store: ChampionStore, tmp_path: Path) -> None:
        entry = promote(store, make_bundle(tmp_path))
        for name in ("2.json~", "02.json", "0.json", "notes.txt"):
            store._write(f"{HISTORY}/{name}", b"noise")
        assert store.history() == (entry,)

    def test_newer_format_is_reported(self, store: ChampionStore, tmp_path: Path) -> None:
        promote(store, make_bundle(tmp_path))
        newer = store._read(entry_key(1)).replace(b'"schema_version": 2', b'"schema_version": 4')
        store._write(entry_key(1), newer.replace(b'"number"', b'"new"'))
        with pytest.raises(NewerFormatError):
            store.history()

    def test_evidence_is_returned_as_added(self, store: ChampionStore, tmp_path: Path) -> None:
        evidence = evidence_of(make_bundle(tmp_path))
        for name in (evidence.key, evidence.bundle):
            assert name is not None
            assert store.evidence(name) is None
            store.add_evidence(evidence, name=name)
            store.add_evidence(evidence, name=name)
            assert store.evidence(name) == evidence

    @pytest.mark.parametrize("damage", EVIDENCE_DAMAGES)
    def test_malformed_evidence_is_rejected(
        self, store: ChampionStore, tmp_path: Path, damage: Damage
    ) -> None:
        evidence = evidence_of(make_bundle(tmp_path))
        malformed = damage(evidence.to_json())
        assert malformed != evidence.to_json()
        store._write(evidence_file_key(evidence.key), malformed)
        with pytest.raises(EvidenceError) as error:
            store.evidence(evidence.key)
        assert store.location(evidence_file_key(evidence.key)) in error.value.message
        assert store.location(evidence_file_key(evidence.key)) in error.value.hint

    def test_evidence_of_another_bundle_is_rejected(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        evidence = evidence_of(make_bundle(tmp_path, base=1.0))
        other = make_bundle(tmp_path, base=2.0).digest
        store.add_evidence(evidence, name=other)
        with pytest.raises(EvidenceError, match="of another recipe or bundle"):
            store.evidence(other)

    def test_newest_challenger_was_sealed_last(self, store: ChampionStore, tmp_path: Path) -> None:
        for experiment, base in (("b", 1.0), ("c", 2.0), ("a", 3.0)):
            bundle = make_bundle(tmp_path, base=base)
            challenger = store.add_challenger(experiment, bundle, evidence_of(bundle))
            assert store.challenger(experiment) == challenger
            assert store.newest_challenger() == challenger
            assert store.bundle(challenger.bundle).content == bundle.content
            assert store.evidence(challenger.bundle) == evidence_of(bundle)

    def test_wrong_times_do_not_change_the_order_of_challengers(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        for experiment, base in (("first", 1.0), ("second", 2.0)):
            bundle = make_bundle(tmp_path, base=base)
            newest = store.add_challenger(experiment, bundle, evidence_of(bundle))
        forged = store._read(challenger_key(1)).replace(b'"sealed_at": "2', b'"sealed_at": "9')
        assert forged != store._read(challenger_key(1))
        store._write(challenger_key(1), forged)
        assert store.newest_challenger() == newest

    def test_concurrent_seals_get_different_numbers(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        bundle = stored_bundle(store, tmp_path)
        names = [f"experiment-{number}" for number in range(4 * WRITERS)]
        with ThreadPoolExecutor(WRITERS) as writers:
            add = partial(store.add_challenger, bundle=bundle, evidence=evidence_of(bundle))
            challengers = list(writers.map(add, names))
        numbers = sorted(challenger.number for challenger in challengers)
        assert numbers == list(range(1, len(names) + 1))
        assert {store.challenger(name) for name in names} == {*challengers}

    def test_challenger_can_be_sealed_again(self, store: ChampionStore, tmp_path: Path) -> None:
        for base in (1.0, 2.0):
            bundle = make_bundle(tmp_path, base=base)
            store.add_challenger("tuned", bundle, evidence_of(bundle))
        assert store.newest_challenger().bundle == bundle.digest

    def test_challenger_is_not_added_to_a_damaged_history(
        self, store: ChampionStore, tmp_path: Path
    ) -> None:
        bundle = make_bundle(tmp_path)
        store._write(entry_key(2), b"{}")
        with pytest.raises(HistoryError):
            store.add_challenger("tuned", bundle, evidence_of(bundle))
        with pytest.raises(NoChallengerError):
            store.newest_challenger()

    @pytest.mark.parametrize("number", ["2", '1, "new": 1'])
    def test_invalid_challenger_is_reported(
        self, store: ChampionStore, tmp_path: Path, number: str
    ) -> None:
        bundle = make_bundle(tmp_path)
        store.add_challenger("tuned", bundle, evidence_of(bundle))
        data = store._read(challenger_key(1))
        store._write(
            challenger_key(1), data.replace(b'"number": 1', f'"number": {number}'.encode())
        )
        for read in (store.newest_challenger, partial(store.challenger, "tuned")):
            with pytest.raises(BundleError) as error:
                read()
            assert store.location(challenger_key(1)) in error.value.message
            assert store.location(challenger_key(1)) in error.value.hint
