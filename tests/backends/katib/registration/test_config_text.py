"""Registration of an algorithm in the text of katib-config.yaml: other bytes stay."""

from difflib import ndiff

import pytest
import yaml

from housectl.backends.katib.checks.katib_config import parse_katib_config
from housectl.backends.katib.registration.config_text import (
    ConfigTextError,
    image_of_algorithm,
    with_algorithm,
)
from housectl.backends.katib.registration.entry import algorithm_entry

ENTRY = algorithm_entry("registry.example/housectl-suggestion:1")
NEWER = algorithm_entry("registry.example/housectl-suggestion:2")

# The form of Katib 0.19's own file.
KATIB = """---
apiVersion: config.kubeflow.org/v1beta1
kind: KatibConfig
init:
  controller:
    webhookPort: 8443
runtime:
  metricsCollectors:
    - kind: StdOut
      image: ghcr.io/kubeflow/katib/file-metrics-collector:v0.19.0
  suggestions:
    - algorithmName: random
      image: ghcr.io/kubeflow/katib/suggestion-hyperopt:v0.19.0
    - algorithmName: enas
      image: ghcr.io/kubeflow/katib/suggestion-enas:v0.19.0
      resources:
        limits:
          memory: 400Mi
  earlyStoppings:
    - algorithmName: medianstop
      image: ghcr.io/kubeflow/katib/earlystopping-medianstop:v0.19.0
"""
COMMENTS = """runtime:
  suggestions: # all: of them
  # note: random comes first

  - {algorithmName: random, image: "a:1"}   # the fastest
  -   algorithmName: tpe
      image: 'b:1' # quoted
  # the end
"""
FLOW = "runtime: {suggestions: [{algorithmName: random, image: a}], other: 1}\n"
TEXTS = {
    "katib": KATIB,
    "comments": COMMENTS,
    "flow": FLOW,
    "json": '{"runtime": {"suggestions": [{"algorithmName": "random", "image": "a"}]}}',
    "empty list": "runtime:\n  suggestions: []\n",
    "windows": KATIB.replace("\n", "\r\n"),
    "no newline at the end": KATIB.rstrip("\n"),
    "same indentation": "runtime:\n  suggestions:\n  - algorithmName: random\n    image: a",
    "block scalar": "runtime:\n  suggestions:\n    - algorithmName: a\n      note: |\n        x\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_inserted_entry_leaves_all_other_bytes(text: str) -> None:
    changed = with_algorithm(text, ENTRY)
    added = len(changed) - len(text)
    assert any(changed[:start] + changed[start + added :] == text for start in range(len(text) + 1))
    expected = yaml.safe_load(text)
    expected["runtime"]["suggestions"].insert(0, ENTRY)
    assert yaml.safe_load(changed) == expected


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_repeated_registration_changes_nothing(text: str) -> None:
    once = with_algorithm(text, ENTRY)
    assert with_algorithm(once, ENTRY) == once


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_newer_image_replaces_only_the_entry(text: str) -> None:
    changed = with_algorithm(with_algorithm(text, ENTRY), NEWER)
    assert changed == with_algorithm(text, NEWER)
    assert image_of_algorithm(changed, "housectl") == NEWER["image"]


def test_entry_of_another_form_is_replaced_in_its_place() -> None:
    text = KATIB.replace(
        "    - algorithmName: enas\n",
        "    - algorithmName: housectl   # ours\n      image: x\n      # last\n\n"
        "    - algorithmName: enas\n",
    )
    changed = with_algorithm(text, ENTRY)
    names = [each["algorithmName"] for each in yaml.safe_load(changed)["runtime"]["suggestions"]]
    assert names == ["random", "housectl", "enas"]
    removed = [line for line in ndiff(text.splitlines(), changed.splitlines()) if line[0] == "-"]
    assert removed == ["-     - algorithmName: housectl   # ours", "-       image: x"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no list"),
        ("a: [", "no valid YAML"),
        ("runtime: {}", "no list"),
        ("runtime:\n  suggestions:\n", "no list"),
        ("runtime: {suggestions: [random]}", "no mapping"),
        ("suggestion: |-\n  {}", "no list"),
    ],
)
def test_text_without_a_list_of_algorithms_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(ConfigTextError, match=problem):
        with_algorithm(text, ENTRY)


def test_anchored_list_is_not_changed_wrongly() -> None:
    text = "other: &all\n  - {algorithmName: random, image: a}\nruntime: {suggestions: *all}\n"
    with pytest.raises(ConfigTextError, match="unusual form"):
        with_algorithm(text, ENTRY)


def test_registered_algorithm_has_memory_and_image() -> None:
    config = parse_katib_config(with_algorithm(KATIB, ENTRY))
    assert config.memory_limits["housectl"] == "256Mi"
    assert config.algorithm_images["housectl"] == ENTRY["image"]
    assert image_of_algorithm(KATIB, "housectl") is None
