"""The dashboard and the alert rules in deploy/: their queries fit the metrics of a server."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as parse

from housectl.store.local import LocalStore
from tests.server.bundles import REFERENCE, make_bundle, promote
from tests.server.running import ROW, running
from tools.project_directory import ROOT

DASHBOARD = ROOT / "deploy" / "grafana" / "housectl.json"
RULES = ROOT / "deploy" / "prometheus" / "housectl.rules.yaml"

# Labels that Prometheus adds.
TARGET_LABELS = {"job", "instance"}
SELECTOR = re.compile(r"\b((?:http|housectl)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")


def alert_queries() -> Mapping[str, str]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


def dashboard_queries() -> Mapping[str, str]:
    dashboard = json.loads(DASHBOARD.read_text())
    queries = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }
    annotations = dashboard["annotations"]["list"]
    return queries | {each["name"]: each["expr"] for each in annotations}


QUERIES = {**alert_queries(), **dashboard_queries()}


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[str]]:
    """Labels of each sample in the scrape of a server."""
    path = tmp_path_factory.mktemp("monitoring")
    store = LocalStore(path / "store")
    promote(store, make_bundle(path, reference=REFERENCE))
    found: dict[str, set[str]] = defaultdict(set)
    with running(store.path, path / "output.txt", arguments=("--access-log",)) as server:
        assert server.predict().status_code == 200
        assert server.predict([ROW] * 500).status_code == 200
        for family in parse(server.client.get("/metrics").text):
            for sample in family.samples:
                found[sample.name] |= set(sample.labels)
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_metrics_and_labels_of_queries_exist(name: str, labels: Mapping[str, set[str]]) -> None:
    query = QUERIES[name]
    metrics = SELECTOR.findall(query)
    assert metrics or name == "HousectlDown"
    for metric, matchers in metrics:
        assert metric in labels
        assert set(MATCHER.findall(matchers)) <= labels[metric] | TARGET_LABELS
    grouped = {label.strip() for each in GROUPING.findall(query) for label in each.split(",")}
    known = set().union(*(labels[metric] for metric, _ in metrics), TARGET_LABELS, {""})
    assert grouped <= known


def test_every_metric_of_a_server_is_shown(labels: Mapping[str, set[str]]) -> None:
    queries = dashboard_queries().values()
    shown = {metric for query in queries for metric, _ in SELECTOR.findall(query)}
    assert {metric for metric in labels if not metric.endswith("_created")} <= shown


def test_panels_have_different_places_and_a_description() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    cells = [cell for panel in panels for cell in _cells(**panel["gridPos"])]
    assert len(set(cells)) == len(cells)
    assert all(panel["description"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


def _cells(x: int, y: int, w: int, h: int) -> Iterator[tuple[int, int]]:
    assert x + w <= 24
    return ((column, row) for column in range(x, x + w) for row in range(y, y + h))


@pytest.mark.promtool
def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    shutil.copy(RULES, tmp_path)
    shutil.copy(Path(__file__).with_name("alert_tests.yaml"), tmp_path)
    run_promtool("check", "rules", str(RULES))
    run_promtool("test", "rules", str(tmp_path / "alert_tests.yaml"))


@pytest.mark.promtool
def test_queries_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    queries = dashboard_queries().values()
    rules = [
        {"record": f"query:{number}", "expr": re.sub(r"\$__\w+", "5m", query)}
        for number, query in enumerate(queries)
    ]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    run_promtool("check", "rules", str(path))


def run_promtool(*arguments: str) -> None:
    completed = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
