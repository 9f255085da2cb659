"""Checks of the ConfigMap katib-config."""

import pytest

from housectl.backends.katib.checks.katib_config import has_too_little_memory, parse_katib_config

CONFIG = """
apiVersion: config.kubeflow.org/v1beta1
kind: KatibConfig
init:
  controller:
    trialResources: [Job.v1.batch]
runtime:
  metricsCollectors:
    - kind: StdOut
      image: collector:v1
  suggestions:
    - algorithmName: random
      image: random:v1
    - algorithmName: enas
      image: enas:v1
      resources:
        limits:
          memory: 400Mi
          cpu: 1
    - algorithmName: plain
      image: plain:v1
      resources: {limits: {memory: 536870912}, requests: {cpu: 100m}}
  earlyStoppings:
    - algorithmName: medianstop
      image: medianstop:v1
"""


def test_memory_limits_with_default() -> None:
    assert parse_katib_config(CONFIG).memory_limits == {
        "random": "100Mi",
        "enas": "400Mi",
        "plain": "536870912",
    }


def test_collector_images_by_kind() -> None:
    assert parse_katib_config(CONFIG).collectors == {"StdOut": "collector:v1"}


@pytest.mark.parametrize(
    "config", ["", "- a\n- b", "runtime: {}", "runtime: {suggestions: 1}", "a: [", "a: b: c"]
)
def test_invalid_configuration_is_rejected(config: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_katib_config(config)


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("bayesianoptimization", "100Mi", True),
        ("bayesianoptimization", "512Mi", False),
        ("bayesianoptimization", "1G", False),
        ("random", "100Mi", False),
    ],
)
def test_algorithm_with_too_little_memory(name: str, limit: str, expected: bool) -> None:
    assert has_too_little_memory(name, limit) is expected
