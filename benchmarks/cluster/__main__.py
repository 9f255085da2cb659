"""`python -m benchmarks.cluster`: prints a table, writes build/bench-cluster.json."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cluster import searching, starting, transfer
from benchmarks.cluster.bench import ClusterBench
from benchmarks.measurement import Measurement
from benchmarks.report import report, share_bytecode_cache
from benchmarks.workbench import ROOT, copy_project
from housectl.kube.client import Kube
from tests.cluster.setup import bring_up, prepared

_OUTPUT = ROOT / "build" / "bench-cluster.json"


def main() -> None:
    """Measure in a namespace of its own, which is deleted in the end."""
    bring_up()
    with TemporaryDirectory(prefix="housectl-bench-") as name, prepared("housectl-bench") as space:
        share_bytecode_cache(Path(name) / "bytecode")
        bench = ClusterBench(project=copy_project(Path(name) / "boston"), kube=Kube(None, space))
        os.environ |= bench.environment
        report(_measure(bench, Path(name)), _OUTPUT)


def _measure(bench: ClusterBench, scratch: Path) -> list[Measurement]:
    return [
        *transfer.measure(bench, scratch),
        *starting.measure(bench),
        *searching.measure(bench, scratch),
    ]


if __name__ == "__main__":
    main()
