"""Each deployment lets a server answer its last requests before it is killed."""

import shlex

import yaml

from housectl_server.workers.parent import DRAIN_SECONDS
from tests.deploy.host import DEPLOY, UNIT
from tests.deploy.units import read_unit


def test_unit_of_the_image() -> None:
    (stop,) = read_unit(UNIT)["ExecStop"]
    words = shlex.split(stop)
    assert int(words[words.index("--time") + 1]) > DRAIN_SECONDS


def test_unit_of_a_virtual_environment() -> None:
    unit = read_unit(DEPLOY / "housectl-server-venv.service")
    assert int(unit["TimeoutStopSec"][0]) > DRAIN_SECONDS
    # With another mode, systemd would send SIGTERM to the workers, too.
    assert unit["KillMode"] == ["mixed"]


def test_compose() -> None:
    compose = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    period = compose["services"]["server"]["stop_grace_period"]
    assert int(period.removesuffix("s")) > DRAIN_SECONDS


def test_kubernetes() -> None:
    text = (DEPLOY / "kubernetes" / "housectl-server.yaml").read_text()
    (deployment,) = [each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    sleep, seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    assert pod["terminationGracePeriodSeconds"] - int(seconds) > DRAIN_SECONDS
