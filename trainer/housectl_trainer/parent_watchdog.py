"""Termination of child processes together with their parent."""

import os
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

from housectl_trainer.exit_codes import OUT_OF_MEMORY


def die_with_parent() -> None:
    """End this child process as soon as its parent has ended, even by SIGKILL.

    multiprocessing gives each child a pipe. Only the parent and younger siblings hold its other
    end, so the end of the parent closes it and wakes a thread, the youngest child's first. The
    training libraries release the interpreter's lock, so the thread can run. Unlike
    PR_SET_PDEATHSIG this also works on macOS, and for a parent that died before the call.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(OUT_OF_MEMORY)
