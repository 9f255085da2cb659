"""`python -m tools.changed_groups BASE`: the groups of checks that a change needs.

It prints a line for each group, such as `server=true`, in the format of $GITHUB_OUTPUT. It needs
only the standard library, because it runs before any installation.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Group(StrEnum):
    """A group of checks: some jobs of the workflow that tests the project."""

    TRAINING = "training"
    SERVER = "server"
    CLUSTER = "cluster"
    DOCS = "docs"


ALL = frozenset(Group)

# The first matching rule decides, and `*` also matches `/`. Other files belong to all groups.
RULES: tuple[tuple[str, frozenset[Group]], ...] = (
    ("src/housectl/backends/katib/*", ALL - {Group.SERVER}),
    ("src/housectl/kube/*", ALL - {Group.SERVER}),
    ("src/housectl/scaffold/*", frozenset({Group.TRAINING, Group.DOCS})),
    ("src/housectl/verification/*", ALL - {Group.TRAINING}),
    ("server/*", ALL - {Group.TRAINING}),
    ("suggestion/*", ALL - {Group.SERVER}),
    ("k8s/*", ALL - {Group.SERVER}),
    ("tests/cluster/*", frozenset({Group.CLUSTER})),
    ("tests/docs/*", frozenset({Group.DOCS, Group.CLUSTER})),
    ("tests/server/*", frozenset({Group.SERVER, Group.CLUSTER})),
    ("tests/verification/*", frozenset({Group.SERVER})),
    ("tests/deploy/*", frozenset({Group.SERVER})),
    ("docs/*", frozenset({Group.DOCS})),
    ("*.md", frozenset({Group.DOCS})),
    ("benchmarks/*", frozenset({Group.TRAINING, Group.DOCS})),
    ("deploy/grafana/*", frozenset({Group.SERVER, Group.DOCS})),
    ("deploy/*.json", frozenset()),
    ("deploy/*", frozenset({Group.SERVER, Group.DOCS})),
    (".ci/*", frozenset()),
    (".github/ISSUE_TEMPLATE/*", frozenset()),
    (".pre-commit-config.yaml", frozenset()),
    ("LICENSE", frozenset({Group.DOCS})),
)


def main(arguments: Sequence[str]) -> None:
    """Print the groups of the files that changed since the commit that is the only argument."""
    (base,) = arguments
    files = changed_files(base, ROOT)
    groups = ALL if files is None else groups_of(files)
    for group in Group:
        print(f"{group}={str(group in groups).lower()}")


def groups_of(files: Iterable[str]) -> frozenset[Group]:
    """Return the groups that test any of these files."""
    return frozenset[Group]().union(*map(_groups_of_file, files))


def _groups_of_file(name: str) -> frozenset[Group]:
    matching = (groups for pattern, groups in RULES if fnmatchcase(name, pattern))
    return next(matching, ALL)


def changed_files(base: str, repository: Path) -> list[str] | None:
    """Return the files that HEAD changes; None if the commit is unknown, as for a new branch."""
    if not base:
        return None
    command = ("git", "diff", "--name-only", "--no-renames", "-z", f"{base}...HEAD", "--")
    process = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if process.returncode:
        print(f"All groups run: {process.stderr.strip()}", file=sys.stderr)
        return None
    return [name for name in process.stdout.split("\0") if name]


if __name__ == "__main__":
    main(sys.argv[1:])
