"""Shadow and canary of a real server: the split, the comparison, and verification beside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from housectl.contract.bundle import Bundle
from housectl.contract.history import Action
from housectl.contract.schema import Schema
from housectl.deadline import Deadline
from housectl.errors import ExitStatus
from housectl.store.local import LocalStore
from housectl.verification.limits import Limits
from housectl.verification.outcome import Outcome
from housectl.verification.verify import Verification, verify
from housectl_server.monitoring.snapshot import DIFFERENCE_BUCKETS, ShadowSnapshot
from housectl_server.versions.canary import Split
from housectl_server.versions.eligibility import VersionStatus, eligibility
from housectl_server.versions.shadow import add_differences
from tests.server.bundles import FLOWERS, HOUSES, REFERENCE, make_bundle, promote
from tests.server.running import ROW, RunningServer, running, start, wait_until
from tests.verification.impostor import Upstream, adding_one, impostor

LIMITS = Limits(p99_ms=10_000.0)


@dataclass(frozen=True)
class Deployment:
    """A server with two workers, whose champion is `champion`, beside `other` in both roles."""

    server: RunningServer
    store: LocalStore
    champion: Bundle
    other: Bundle

    def health(self) -> dict[str, Any]:
        return self.server.health()

    def samples(self) -> Mapping[str, float]:
        text = self.server.client.get("/metrics").text
        return {
            " ".join([sample.name, *sample.labels.values()]): sample.value
            for family in parse(text)
            for sample in family.samples
        }

    def verify(self, url: str) -> Verification:
        return verify(
            self.champion,
            url,
            limits=LIMITS,
            deadline=Deadline.after(LIMITS.run_seconds),
            get_bundle=self.store.bundle,
        )


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    path = tmp_path_factory.mktemp("versions")
    store = LocalStore(path / "store")
    champion = make_bundle(path, reference=REFERENCE)
    other = make_bundle(path, base=30.0, reference=REFERENCE)
    store.add_bundle(other)
    promote(store, champion)
    version = other.version
    arguments = (
        *("--workers", "2", "--poll-interval", "0.05s", "--shadow", version),
        *("--canary", version, "--percent", "40", "--canary-header", "X-User"),
    )
    with running(store.path, path / "output.txt", arguments=arguments) as server:
        server.wait_for(status="ok")
        yield Deployment(server, store, champion, other)


def ask(deployment: Deployment, path: str, body: object, user: str) -> httpx.Response:
    url = f"{deployment.server.url}{path}"
    return httpx.post(url, json=body, headers={"X-User": user}, trust_env=False)


def test_health_and_metrics_separate_the_models(deployment: Deployment) -> None:
    for number in range(20):
        ask(deployment, "/predict", ROW, f"user-{number}")
    split = Split(percent=40)
    canaries = sum(split.chooses_key(f"user-{number}".encode()) for number in range(20))

    def counted(name: str) -> float:
        return deployment.samples().get(name, 0.0)

    wait_until(lambda: counted("housectl_canary_predictions_total") == canaries)
    wait_until(lambda: counted("housectl_predictions_total") == 20 - canaries)
    wait_until(lambda: counted("housectl_canary_prediction_value_count") == canaries)
    wait_until(lambda: counted("housectl_canary_requests_total /predict POST 200") == canaries)
    # The shadow predicts the rows of the champion only, and each differs by 10 of 40.
    wait_until(lambda: counted("housectl_shadow_rows_total") == 20 - canaries)
    assert counted("housectl_shadow_relative_difference_sum") == (20 - canaries) * 0.25
    health = deployment.health()
    assert health["model_digest"] == deployment.champion.digest
    shadow, canary = health["shadow"], health["canary"]
    assert shadow["status"] == canary["status"] == "active"
    assert shadow["mean_absolute_difference"] == 10.0
    assert (shadow["failures"], shadow["dropped"]) == (0, 0)
    assert (canary["percent"], canary["header"]) == (40.0, "x-user")
    assert canary["model_digest"] == deployment.other.digest


def test_split_is_sticky_in_all_workers_and_answers_name_their_model(
    deployment: Deployment,
) -> None:
    split = Split(percent=40, header="x-user")
    expected = {deployment.champion.digest: 30.0, deployment.other.digest: 40.0}
    seen = set()
    for number in range(40):
        user = f"user-{number % 10}"
        answer = ask(deployment, "/predict", ROW, user)
        digest = answer.headers["x-model-digest"]
        seen.add(digest)
        assert (digest == deployment.other.digest) == split.chooses_key(user.encode())
        assert answer.json() == {"predicted_price": expected[digest]}
    assert seen == set(expected)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", [ROW, ROW]),
        ("/invocations", {"dataframe_records": [ROW]}),
        ("/v2/models/champion/infer", {"inputs": []}),
    ],
)
def test_every_protocol_is_split(deployment: Deployment, path: str, body: object) -> None:
    split = Split(percent=40)
    users = [f"user-{number}" for number in range(20)]
    canary_user = next(user for user in users if split.chooses_key(user.encode()))
    champion_user = next(user for user in users if not split.chooses_key(user.encode()))
    answers = [ask(deployment, path, body, user) for user in (canary_user, champion_user)]
    digests = [answer.headers["x-model-digest"] for answer in answers]
    assert digests == [deployment.other.digest, deployment.champion.digest]


def test_path_with_the_version_of_the_champion_is_not_split(deployment: Deployment) -> None:
    path = f"/v2/models/champion/versions/{deployment.champion.version}/infer"
    body = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [6.5, 5.0]}]}
    for number in range(20):
        answer = ask(deployment, path, body, f"user-{number}")
        assert answer.headers["x-model-digest"] == deployment.champion.digest


def test_verify_checks_the_canary_against_its_own_bundle(deployment: Deployment) -> None:
    report = deployment.verify(deployment.server.url)
    assert report.passed, report.checks
    (check,) = [each for each in report.checks if each.name == "canary"]
    assert check.found.startswith("all ")
    assert int(check.found.split()[1]) > 20


@pytest.mark.parametrize(
    ("wrong", "outcome"), [("other", Outcome.UNPROVEN), ("champion", Outcome.WRONG)]
)
def test_wrong_answers_of_the_canary_are_no_fault_of_the_champion(
    deployment: Deployment, wrong: str, outcome: Outcome
) -> None:
    digest = getattr(deployment, wrong).digest
    with impostor(adding_one(Upstream(deployment.server.url), digest)) as url:
        report = deployment.verify(url)
    assert report.outcome is outcome
    assert ("canary" in report.failed) == (wrong == "other")


def test_promoted_version_ends_split_and_comparison(deployment: Deployment) -> None:
    store, other = deployment.store, deployment.other
    promote(store, other)
    deployment.server.wait_for(status="ok", model_digest=other.digest)
    health = deployment.health()
    assert health["shadow"]["status"] == health["canary"]["status"] == "champion"
    version = other.version
    log = deployment.server.log()
    assert f"the shadow {version} is not active: The version is the champion." in log
    assert f"the canary {version} is not active: The version is the champion." in log
    promote(store, deployment.champion, action=Action.ROLLBACK)
    deployment.server.wait_for(status="ok", model_digest=deployment.champion.digest)
    health = deployment.health()
    assert health["shadow"]["status"] == health["canary"]["status"] == "active"


def test_unknown_version_is_an_error_with_a_hint(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    promote(store, make_bundle(tmp_path))
    output = tmp_path / "output.txt"
    process = start(store.path, output, arguments=("--port", "0", "--canary", "ffff"))
    assert process.wait(30) == ExitStatus.USAGE
    assert "Version 'ffff' is invalid" in output.read_text()
    assert "hint:  housectl history" in output.read_text()


def test_canary_is_not_served_without_a_champion(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.add_bundle(bundle := make_bundle(tmp_path))
    arguments = ("--canary", bundle.version, "--percent", "99")
    with running(store.path, tmp_path / "output.txt", arguments=arguments) as server:
        assert server.predict().status_code == 503
        canary: Any = server.health()["canary"]
        assert canary["status"] == "no_champion"
        assert f"the canary {bundle.version} is not active: No model" in server.log()


def test_share_of_the_canary_is_as_set() -> None:
    for percent in (1, 5, 50, 99):
        split = Split(percent=percent)
        chosen = sum(split.chooses_key(b"0123-%x" % number) for number in range(20_000))
        assert chosen / 20_000 == pytest.approx(percent / 100, abs=0.015)


def test_version_with_other_rows_is_incompatible(tmp_path: Path) -> None:
    champion = make_bundle(tmp_path)
    target = replace_target("price")
    for number, schema in enumerate((FLOWERS, target)):
        other = make_bundle(tmp_path / str(number), schema=schema)
        found = eligibility(other, champion)
        assert found.status is VersionStatus.INCOMPATIBLE
        assert found.reason


def replace_target(key: str) -> Schema:
    target = msgspec.structs.replace(HOUSES.target, response_key=key)
    return msgspec.structs.replace(HOUSES, target=target)


def test_differences_are_counted_by_size() -> None:
    counts = ShadowSnapshot(
        digest="", version="", champion="", buckets=[0] * (len(DIFFERENCE_BUCKETS) + 1)
    )
    champion = np.array([0.0, 10.0, 10.0, 0.0, 10.0, 5.0])
    shadow = np.array([0.0, 10.0, 9.95, 1.0, -10.0, np.nan])
    add_differences(counts, champion, shadow)
    assert (counts.rows, counts.failures) == (5, 1)
    assert counts.absolute_sum == pytest.approx(0.05 + 1 + 20)
    assert counts.relative_sum == pytest.approx(0.005 + 1 + 2)
    assert counts.buckets == [2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1]
