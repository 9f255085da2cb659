from pathlib import Path

import pytest

from housectl.cores import usable_cores


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 2),
        ({"pod/container/cpu.max": "max 100000\n"}, 2),
        ({"pod/container/cpu.max": "150000 100000\n"}, 2),
        ({"pod/container/cpu.max": "50000 100000\n"}, 1),
        ({"pod/container/cpu.max": "max 100000\n", "pod/cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "unreadable\n"}, 2),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({"cpu/cpu.cfs_quota_us": "90000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
    ],
)
def test_cgroup_limits_the_usable_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    own_cgroup = tmp_path / "own"
    own_cgroup.write_text("2:cpu:/\n0::/pod/container\n")
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert usable_cores(root=tmp_path / "root", own_cgroup=own_cgroup) == cores
