"""The client of the trainer's pool."""

from pathlib import Path

import pytest

from housectl.backends.local.trainer_client import PoolCrashedError, TrainerPool

# A pool that is killed, and whose worker writes a file one second later.
POOL = """
import os, sys, time
if os.fork() == 0:
    os.close(1)
    time.sleep(1)
    open(sys.argv[1], "w").close()
    os._exit(0)
os.kill(os.getpid(), 9)
"""


def test_crash_is_reported_when_no_worker_can_write_any_more(tmp_path: Path) -> None:
    pool = TrainerPool(["-c", POOL, str(tmp_path / "written")], tmp_path / "log")
    with pytest.raises(PoolCrashedError, match="killed by SIGKILL"):
        pool.next_result()
    assert (tmp_path / "written").exists()
