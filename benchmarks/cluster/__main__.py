"""Measure searches on a cluster: `python -m benchmarks.cluster`."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.cluster import searching, starting, transfer
from benchmarks.cluster.bench import ClusterBench
from benchmarks.measurement import Measurement
from benchmarks.report import report, share_bytecode_cache
from housectl.kube.client import Kube
from tools.dev_cluster.setup import prepared_namespace, start_cluster
from tools.project_directory import ROOT, copy_boston

_OUTPUT = ROOT / "build" / "bench-cluster.json"


def main() -> None:
    """Measure in a new namespace, and delete it at the end."""
    start_cluster()
    with (
        TemporaryDirectory(prefix="housectl-bench-") as name,
        prepared_namespace("housectl-bench") as namespace,
    ):
        share_bytecode_cache(Path(name) / "bytecode")
        bench = ClusterBench(
            project=copy_boston(Path(name) / "boston").path, kube=Kube(None, namespace)
        )
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
