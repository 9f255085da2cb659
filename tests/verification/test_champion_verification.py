"""Consequences of `housectl verify`: records, rollbacks and exit statuses, as real processes."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from pathlib import Path

import pytest

import housectl
from housectl.errors import ConcurrentUpdateError, ExitStatus
from housectl.store.failed_verifications import FailedVerification
from housectl.store.layout import VERIFICATIONS
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle, promote
from tests.server.running import RunningServer, running
from tests.strace import inject_fault
from tests.verification.impostor import Answer, Reply, Request, Upstream, adding_one, impostor
from tools.project_directory import CommandOutput, ProjectDirectory, copy_boston

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Deployment:
    """A project with three champions, the last of which is served; `digests` are in their order."""

    project: ProjectDirectory
    store: LocalStore
    digests: tuple[str, ...]
    server: RunningServer
    start: Callable[[Answer], str]

    @property
    def champion(self) -> str:
        return self.store.require_champion().bundle

    @property
    def recorded(self) -> set[str]:
        """The digests of the bundles whose failed verification is recorded."""
        return set(self.store.failed_bundles())

    def verify(self, answer: Answer, *options: str) -> CommandOutput:
        """Verify an impostor with a rollback on failure."""
        url = self.start(answer)
        options = ("--p99-ms", "10000", *options)
        return self.project.run("verify", "--url", url, "--rollback-on-failure", "--json", *options)

    def adding_one(self, *digests: str) -> Answer:
        """Return the answers of the server, with 1 added to predictions of these models."""
        return adding_one(Upstream(self.server.url), *digests)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    project = copy_boston(tmp_path / "boston")
    store = LocalStore(project.store)
    bundles = [make_bundle(tmp_path, base=base) for base in (20.0, 21.0, 22.0)]
    for bundle in bundles:
        promote(store, bundle)
    with running(store.path, tmp_path / "output.txt") as server, ExitStack() as stack:
        yield Deployment(
            project,
            store,
            tuple(bundle.digest for bundle in bundles),
            server,
            lambda answer: stack.enter_context(impostor(answer)),
        )


def test_wrong_answers_roll_back_and_are_recorded(deployment: Deployment) -> None:
    first, second, third = deployment.digests
    output = deployment.verify(deployment.adding_one(third))
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert deployment.champion == second
    assert deployment.recorded == {third}
    shown = output.json
    assert shown["champion"] == shown["rolled_back_from"] == third
    assert shown["rolled_back_to"] == second
    assert "fresh rows" in str(shown["failed"])
    assert shown["failed_after_rollback"] == []
    assert shown["done"] == [
        f"recorded the failed verification of {third[:12]}",
        f"rolled back to {second[:12]}",
        f"verified {second[:12]}: passed",
    ]
    assert first not in output.out


def test_key_revoked_during_a_verification_changes_nothing(deployment: Deployment) -> None:
    """Even wrong predictions before have no consequences, because the checks are incomplete."""
    wrong, requests = deployment.adding_one(deployment.digests[2]), count()

    def answer(request: Request) -> Reply:
        return wrong(request) if next(requests) < 20 else Reply(HTTPStatus.UNAUTHORIZED)

    output = deployment.verify(answer)
    assert next(requests) > 20
    assert output.status == ExitStatus.USAGE
    assert "requires an API key" in output.out + output.err
    assert deployment.champion == deployment.digests[2]
    assert deployment.recorded == set()


def test_redirect_does_not_pass_the_key_on(deployment: Deployment) -> None:
    elsewhere: list[Request] = []
    keys: set[str | None] = set()

    def record(request: Request) -> Reply:
        elsewhere.append(request)
        return Reply()

    other = deployment.start(record)

    def redirect(request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        keys.add(headers.get("x-api-key"))
        location = {"location": f"{other}{request.path}"}
        return Reply(HTTPStatus.TEMPORARY_REDIRECT, headers=location)

    options = ("--url", deployment.start(redirect), "--rollback-on-failure")
    output = deployment.project.run("verify", *options, HOUSECTL_API_KEY="hk_secret")
    assert output.status != ExitStatus.OK
    assert keys == {"hk_secret"}
    assert elsewhere == []
    assert "hk_secret" not in output.out + output.err
    assert deployment.champion == deployment.digests[2]


def test_repeated_failures_go_further_back_and_then_stop(deployment: Deployment) -> None:
    first, second, third = deployment.digests
    answer = deployment.adding_one(*deployment.digests)
    assert deployment.verify(answer).json["rolled_back_to"] == second
    assert deployment.recorded == {second, third}
    assert deployment.verify(answer).json["rolled_back_to"] == first
    assert deployment.recorded == {first, second, third}
    numbers = deployment.store.require_champion().number
    stopped = deployment.verify(answer)
    assert stopped.status == ExitStatus.VERIFICATION_FAILED
    assert "did not roll back: Rollback is impossible" in stopped.out
    assert deployment.champion == first
    assert deployment.store.require_champion().number == numbers


def test_each_rollback_leads_further_back(deployment: Deployment) -> None:
    first, second, third = deployment.digests
    for digest in (second, first):
        shown = deployment.project.run_ok("rollback", "--json").json
        assert shown["version"] == digest[:12]
    assert deployment.project.run("rollback").status == ExitStatus.USAGE
    assert deployment.project.run_ok("rollback", "--to", third[:12]).status == ExitStatus.OK
    assert deployment.project.run_ok("rollback", "--json").json["version"] == first[:12]


def test_rollback_skips_bundles_that_failed(deployment: Deployment) -> None:
    first, second, _ = deployment.digests
    record = FailedVerification(
        bundle=second, champion=2, url="http://a", failed=("fresh rows",), at="2026-01-01"
    )
    deployment.store.add_failed_verification(record)
    assert deployment.project.run_ok("rollback", "--json").json["version"] == first[:12]
    again = deployment.project.run("rollback")
    assert again.status == ExitStatus.USAGE
    assert "no earlier champion" in again.err


def test_rollback_stops_if_every_earlier_champion_failed(deployment: Deployment) -> None:
    for digest in deployment.digests[:2]:
        record = FailedVerification(
            bundle=digest, champion=1, url="http://a", failed=("fresh rows",), at="2026-01-01"
        )
        deployment.store.add_failed_verification(record)
    output = deployment.project.run("rollback")
    assert output.status == ExitStatus.USAGE
    assert "every earlier champion failed a verification" in output.err


def test_first_record_of_a_bundle_is_kept(deployment: Deployment) -> None:
    deployment.verify(deployment.adding_one(deployment.digests[2]))
    path = deployment.store.path / VERIFICATIONS / f"{deployment.digests[2]}.json"
    before = path.read_bytes()
    record = FailedVerification.from_json(before)
    assert record.champion == 3
    assert record.failed[:2] == ("golden rows", "fresh rows")
    assert record.to_json() == before
    deployment.store.add_failed_verification(
        FailedVerification(bundle=record.bundle, champion=9, url="", failed=(), at="")
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("status", [429, 503])
def test_overload_rolls_nothing_back(deployment: Deployment, status: int) -> None:
    upstream = Upstream(deployment.server.url)

    def answer(request: Request) -> Reply:
        return Reply(status) if request.is_prediction else upstream(request)

    output = deployment.verify(answer)
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert_nothing_done(deployment, output)


def test_latency_rolls_nothing_back(deployment: Deployment) -> None:
    output = deployment.verify(Upstream(deployment.server.url), "--p99-ms", "0.000001")
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert output.json["failed"] == ["latency"]
    assert_nothing_done(deployment, output)


def test_wrong_refusals_roll_nothing_back(deployment: Deployment) -> None:
    upstream = Upstream(deployment.server.url)

    def answer(request: Request) -> Reply:
        reply = upstream(request)
        return reply.with_json({"detail": "no"}) if reply.status == 422 else reply

    output = deployment.verify(answer)
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert "rejects null" in str(output.json["failed"])
    assert_nothing_done(deployment, output)


def test_slow_answers_roll_nothing_back(deployment: Deployment) -> None:
    output = deployment.verify(Upstream(deployment.server.url), "--request-timeout", "0.0001s")
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert "no usable answer at /health: the answer is incomplete after 0.0001 s" in output.out
    assert deployment.champion == deployment.digests[2]


def test_dying_server_is_reported_with_its_checks(deployment: Deployment) -> None:
    upstream = Upstream(deployment.server.url)
    predictions: list[Request] = []

    def answer(request: Request) -> Reply:
        if request.is_prediction:
            predictions.append(request)
        if len(predictions) > 50:
            raise ConnectionError
        return upstream(request)

    output = deployment.verify(answer)
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert "Server disconnected" in output.out
    assert_nothing_done(deployment, output)


def test_absent_server_changes_nothing(deployment: Deployment) -> None:
    deployment.server.process.kill()
    output = deployment.project.run("verify", "--url", deployment.server.url, "--json")
    assert output.status == ExitStatus.SERVER_UNREACHABLE
    assert "[Errno 111] Connection refused. Nothing was checked." in output.out
    assert deployment.champion == deployment.digests[2]


def test_server_of_another_model_rolls_nothing_back(deployment: Deployment, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "other")
    promote(store, make_bundle(tmp_path, base=30.0))
    with running(store.path, tmp_path / "other.txt") as other:
        output = deployment.verify(Upstream(other.url))
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert_nothing_done(deployment, output)


def assert_nothing_done(deployment: Deployment, output: CommandOutput) -> None:
    shown = output.json
    assert shown["done"] == ["nothing: no prediction of the champion was wrong"]
    assert shown["failed"]
    assert shown["rolled_back_to"] is None
    assert deployment.champion == deployment.digests[2]
    assert deployment.recorded == set()


def test_server_that_dies_after_rollback_is_reported(deployment: Deployment) -> None:
    wrong = deployment.adding_one(deployment.digests[2])

    def answer(request: Request) -> Reply:
        if deployment.store.require_champion().number > 3:
            raise ConnectionError
        return wrong(request)

    output = deployment.verify(answer, "--timeout", "8s")
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert deployment.champion == deployment.digests[1]
    done = json.dumps(output.json["done"])
    assert f"rolled back to {deployment.digests[1][:12]}" in done
    assert "could not verify it: No server responds" in done
    assert "fresh rows" in str(output.json["failed"])


def test_promotion_during_verification_is_no_failure(
    deployment: Deployment, tmp_path: Path
) -> None:
    upstream = Upstream(deployment.server.url)
    bundle = make_bundle(tmp_path, base=30.0)
    predictions: list[Request] = []

    def answer(request: Request) -> Reply:
        if request.is_prediction:
            predictions.append(request)
        if len(predictions) == 50:
            promote(deployment.store, bundle)
            deployment.server.wait_for(model_digest=bundle.digest)
        return upstream(request)

    output = deployment.verify(answer)
    assert output.status == ExitStatus.OK, output.out
    assert output.json["champion"] == bundle.digest
    assert deployment.champion == bundle.digest


@pytest.mark.strace
def test_report_is_shown_if_the_store_is_read_only(deployment: Deployment) -> None:
    url = deployment.start(deployment.adding_one(deployment.digests[2]))
    arguments = ("verify", "--url", url, "--rollback-on-failure", "--json", "--timeout", "300s")
    output = deployment.project.run(*arguments, wrapper=inject_fault("link", "error=EROFS"))
    assert output.status == ExitStatus.VERIFICATION_FAILED
    done = str(output.json["done"])
    assert f"could not record the failed verification of {deployment.digests[2][:12]}" in done
    assert "did not roll back: Cannot write" in done
    assert "fresh rows" in str(output.json["failed"])
    assert deployment.champion == deployment.digests[2]


def test_newer_champion_is_not_rolled_back(deployment: Deployment, tmp_path: Path) -> None:
    verified = deployment.store.require_champion()
    newer = promote(deployment.store, make_bundle(tmp_path, base=30.0))
    promoter = housectl.open(deployment.project.path).context.promoter
    with pytest.raises(ConcurrentUpdateError):
        promoter.rollback_from(verified, reason="a test")
    assert deployment.store.require_champion() == newer


def test_text_shows_what_failed_and_what_was_done(deployment: Deployment) -> None:
    url = deployment.start(deployment.adding_one(deployment.digests[2]))
    output = deployment.project.run("verify", "--url", url, "--p99-ms", "10000")
    assert output.status == ExitStatus.VERIFICATION_FAILED
    assert "failed golden rows, fresh rows, repaired rows" in " ".join(output.out.split())
    assert f"recorded the failed verification of {deployment.digests[2][:12]}" in output.out
    assert deployment.champion == deployment.digests[2]
