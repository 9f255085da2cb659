"""Child processes that end with their parent, however it ends."""

import os
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

from housectl_trainer.exit_codes import OUT_OF_MEMORY


def die_with_parent() -> None:
    """Make this child process end as soon as its parent has, also when that was killed with -9.

    multiprocessing gives each child a pipe whose other end only the parent and younger siblings
    hold; its closing wakes a thread, the youngest child's first. The training libraries release
    the interpreter's lock, so the thread gets its turn. This works on Linux and macOS alike, while
    PR_SET_PDEATHSIG is Linux's own and misses a parent that died before the call.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(OUT_OF_MEMORY)
