"""Katib's configuration as its ConfigMap has it."""

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


def test_each_algorithm_has_its_limit_or_katibs_own() -> None:
    found = parse_katib_config(CONFIG).memory_limits
    assert found == {"random": "100Mi", "enas": "400Mi", "plain": "536870912"}


def test_each_kind_of_collector_has_its_image() -> None:
    assert parse_katib_config(CONFIG).collectors == {"StdOut": "collector:v1"}


@pytest.mark.parametrize(
    "config", ["", "- a\n- b", "runtime: {}", "runtime: {suggestions: 1}", "a: [", "a: b: c"]
)
def test_what_is_no_configuration_is_refused(config: str) -> None:
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
def test_an_algorithm_that_needs_more_than_katib_gives_it(
    name: str, limit: str, expected: bool
) -> None:
    assert has_too_little_memory(name, limit) is expected
