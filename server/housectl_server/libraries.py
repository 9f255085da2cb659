"""The libraries of the server, imported before its champion is loaded."""

import gc
import importlib
import os

_LIBRARIES = ("numpy", "onnxruntime", "uvloop", "httptools", "housectl.contract.graph.format")


def import_libraries() -> None:
    """Import the libraries, and exclude their objects from garbage collections.

    A collection of all objects pauses predictions for 30 ms. It also writes to the objects, so
    forked processes would not share their memory any more.
    """
    # onnxruntime reads this at import; without it, onnxruntime sends telemetry from a thread.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    for name in _LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
