"""A fault at each request in turn: each change of the store happens once, and is complete."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from housectl.contract.bundle import Bundle
from housectl.errors import HousectlError, NoChallengerError
from housectl.store.address import StoreAddress
from housectl.store.base import ChampionStore
from housectl.store.factory import open_store
from tests.server.bundles import make_bundle, promote
from tests.servers.environment import use_server
from tests.servers.s3_proxy import Fault, S3Proxy
from tests.store.contract import evidence_of
from tools.s3_server import S3Server

pytestmark = pytest.mark.slow

Change = Callable[[ChampionStore, Bundle], object]


def seal(store: ChampionStore, bundle: Bundle) -> None:
    store.add_challenger("an experiment", bundle, evidence_of(bundle))


CHANGES = (seal, promote)


def fail_each_request(
    s3: S3Server, proxy: S3Proxy, fault: Fault, scratch: Path
) -> Iterator[tuple[ChampionStore, ChampionStore]]:
    """Yield a new store with a champion, whose first request fails, then the second, and so on.

    The second item is the same store without the proxy.
    """
    bucket, champion = s3.new_bucket(), make_bundle(scratch / "champion", base=1.0)
    for number in count():
        address = StoreAddress.parse(f"s3://{bucket}/{number}")
        with use_server(s3):
            direct = open_store(address, cache=None)
        promote(direct, champion)
        with use_server(proxy.server):
            store = open_store(address, cache=scratch / f"cache-{number}")
        proxy.forget_requests()
        proxy.fail_nth(number, fault)
        yield store, direct
        if len(proxy.requests) <= number:
            break


def assert_changed_once(store: ChampionStore, change: Change, bundle: Bundle) -> None:
    history = store.history()
    if change is seal:
        assert [entry.number for entry in history] == [1]
        challenger = store.newest_challenger()
        assert (challenger.number, challenger.bundle) == (1, bundle.digest)
        assert store.evidence(bundle.digest) == evidence_of(bundle)
    else:
        assert [entry.number for entry in history] == [1, 2]
        assert history[-1].bundle == bundle.digest
    assert store.bundle(bundle.digest).content == bundle.content


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.SLOW_DOWN, Fault.CONFLICT]
)
def test_a_change_succeeds_in_spite_of_a_fault(
    change: Change, fault: Fault, proxy: S3Proxy, s3: S3Server, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path, base=2.0)
    for store, direct in fail_each_request(s3, proxy, fault, tmp_path):
        change(store, bundle)
        assert_changed_once(direct, change, bundle)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fault", [Fault.TRUNCATE, Fault.FORBIDDEN])
def test_a_failed_change_has_no_effect_and_can_be_repeated(
    change: Change, fault: Fault, proxy: S3Proxy, s3: S3Server, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path, base=2.0)
    failures = 0
    for store, direct in fail_each_request(s3, proxy, fault, tmp_path):
        try:
            change(store, bundle)
        except HousectlError:
            failures += 1
            assert len(direct.history()) == 1
            with pytest.raises(NoChallengerError):
                direct.newest_challenger()
            change(store, bundle)
        assert_changed_once(direct, change, bundle)
    assert failures > 0
