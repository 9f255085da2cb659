"""The compose file: its settings, and the files that it gives to Prometheus and Grafana."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import BaseModel

from housectl.store.local import LocalStore
from tests.deploy.host import DEPLOY
from tests.deploy.test_monitoring import DASHBOARD, RULES, run_promtool
from tests.server.bundles import make_bundle, promote
from tests.server.running import RunningServer, running, wait_until
from tools.project_directory import clean_environment

COMPOSE = DEPLOY / "compose" / "compose.yaml"
PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yaml"
PROVISIONING = DEPLOY / "grafana" / "provisioning"

CHECKER = Path(sys.executable).with_name("check-compose")
IMAGE = "registry.example/housectl-server@sha256:" + "a" * 64
STORE = "/srv/housectl/store"
RELEASE = re.compile(r":v?\d+\.\d+\.\d+$")


class Mount(BaseModel):
    """A directory or volume in a container."""

    type: str
    source: str
    target: str
    read_only: bool = False


class Port(BaseModel):
    """A port of a container, and the address of the host that leads to it."""

    host_ip: str
    target: int
    published: str


class Healthcheck(BaseModel):
    """A command that fails if the container does not work."""

    test: list[str]


class Service(BaseModel):
    """A service, with the settings that the tests use."""

    image: str
    command: list[str] = []
    environment: dict[str, str] = {}
    volumes: list[Mount]
    tmpfs: list[str] = []
    ports: list[Port]
    healthcheck: Healthcheck
    stop_grace_period: str = ""
    restart: str
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    mem_limit: int


class Compose(BaseModel):
    """The compose file, with its variables replaced."""

    services: dict[str, Service]


def check_compose(**variables: str) -> "subprocess.CompletedProcess[str]":
    """Read the file with the parser of docker compose, which is in Go."""
    return subprocess.run(
        [CHECKER, COMPOSE],
        env=clean_environment() | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def services() -> Mapping[str, Service]:
    checked = check_compose(HOUSECTL_SERVER_IMAGE=IMAGE, HOUSECTL_STORE_DIRECTORY=STORE)
    assert checked.returncode == 0, checked.stderr
    return Compose.model_validate(yaml.safe_load(checked.stdout)).services


def test_missing_image_is_an_error() -> None:
    checked = check_compose()
    assert checked.returncode == 1
    assert (
        "HOUSECTL_SERVER_IMAGE is missing a value: set it to the image of the server"
        in checked.stderr
    )


def test_containers_are_restricted(services: Mapping[str, Service]) -> None:
    for name, service in services.items():
        assert service.read_only, name
        assert service.cap_drop == ["ALL"], name
        assert service.security_opt == ["no-new-privileges:true"], name
        assert service.restart == "unless-stopped", name
        assert service.mem_limit <= 1 << 30, name
        assert {port.host_ip for port in service.ports} == {"127.0.0.1"}, name
        assert "@sha256:" in service.image or RELEASE.search(service.image), name


def test_mounted_files_exist_and_are_read_only(services: Mapping[str, Service]) -> None:
    mounts = [mount for service in services.values() for mount in service.volumes]
    binds = [mount for mount in mounts if mount.type == "bind"]
    assert {mount.source for mount in binds if not Path(mount.source).exists()} == {STORE}
    assert all(mount.read_only for mount in binds)
    (store,) = services["server"].volumes
    assert (store.source, store.target) == (STORE, "/store")


def test_store_directory_may_be_absent() -> None:
    checked = check_compose(HOUSECTL_SERVER_IMAGE=IMAGE)
    services = Compose.model_validate(yaml.safe_load(checked.stdout)).services
    (store,) = services["server"].volumes
    assert (store.type, store.source, store.target) == ("volume", "store", "/store")


@pytest.fixture
def server(services: Mapping[str, Service], tmp_path: Path) -> Iterator[RunningServer]:
    """A server with the arguments of the compose file."""
    store = LocalStore(tmp_path / "store")
    promote(store, make_bundle(tmp_path))
    # With two workers, the line about the port has the same end as in a log of text.
    arguments = (*services["server"].command, "--workers", "2")
    with running(store.path, tmp_path / "output.txt", arguments=arguments) as server:
        yield server


def test_health_check_of_the_server_fails_without_it(
    services: Mapping[str, Service], server: RunningServer
) -> None:
    kind, python, *arguments = services["server"].healthcheck.test
    assert (kind, python) == ("CMD", "python")
    command = [
        sys.executable,
        *(each.replace("http://127.0.0.1:8005", server.url) for each in arguments),
    ]
    assert subprocess.run(command, check=False).returncode == 0
    server.process.kill()
    server.process.wait()
    # The workers end a moment after their parent.
    wait_until(lambda: subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode)


def test_prometheus_scrapes_the_server(
    services: Mapping[str, Service], server: RunningServer
) -> None:
    config = yaml.safe_load(PROMETHEUS.read_text())
    (job,) = config["scrape_configs"]
    ((target,),) = [each["targets"] for each in job["static_configs"]]
    host, _, port = target.partition(":")
    assert int(port) in {each.target for each in services[host].ports}
    assert f'job="{job["job_name"]}"' in RULES.read_text()
    path = job.get("metrics_path", "/metrics")
    assert "housectl_champion_number" in server.client.get(path).text
    container = services["prometheus"]
    assert f"--config.file={_target(container, PROMETHEUS)}" in container.command
    (data,) = [mount.target for mount in container.volumes if mount.type == "volume"]
    assert f"--storage.tsdb.path={data}" in container.command


@pytest.mark.promtool
def test_configuration_of_prometheus_is_valid() -> None:
    # It loads the rules, too, and fails if they are missing.
    run_promtool("check", "config", str(PROMETHEUS))


def test_grafana_shows_the_dashboard(services: Mapping[str, Service]) -> None:
    grafana = services["grafana"]
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "housectl.yaml").read_text())[
        "providers"
    ]
    dashboard = _target(grafana, DASHBOARD)
    assert provider["type"] == "file"
    assert Path(provider["options"]["path"]) == dashboard.parent
    assert grafana.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == str(dashboard)
    for kind in ("dashboards", "datasources"):
        files = {_target(grafana, file) for file in (PROVISIONING / kind).iterdir()}
        assert {file.parent for file in files} == {Path("/etc/grafana/provisioning", kind)}


def test_dashboard_finds_the_data_source(services: Mapping[str, Service]) -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    url = urlsplit(source["url"])
    assert url.port in {port.target for port in services[url.hostname or ""].ports}
    # Grafana selects the default data source of the variable's type.
    dashboard = json.loads(DASHBOARD.read_text())
    (variable,) = [each for each in dashboard["templating"]["list"] if each["type"] == "datasource"]
    assert source["isDefault"]
    assert variable["query"] == source["type"]
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {
        f"${{{variable['name']}}}"
    }


def test_grafana_has_no_password_and_gives_no_right_to_change_anything(
    services: Mapping[str, Service],
) -> None:
    settings = services["grafana"].environment
    assert not any("PASSWORD" in name for name in settings)
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def _target(service: Service, file: Path) -> Path:
    """Return the path of a file of this repository in a container."""
    (mount,) = [each for each in service.volumes if file.is_relative_to(each.source)]
    return Path(mount.target) / file.relative_to(mount.source)
