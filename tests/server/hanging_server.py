"""A server whose store and key file can hang.

The first reader that finds the file `hang` beside them waits without end.
"""

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from housectl.contract.api_keys import ApiKey, read_keys
from housectl.store.local import LocalStore
from housectl_server import __main__ as server
from housectl_server import serving
from housectl_server.http import api_keys

HANG = "hang"


def wait_if_hanging(directory: Path) -> None:
    hang = directory / HANG
    if hang.exists():
        hang.unlink()
        threading.Event().wait()


class HangingStore(LocalStore):
    def _revisions(self, folder: str) -> Mapping[str, object]:
        wait_if_hanging(self.path)
        return super()._revisions(folder)


def read_hanging_keys(path: Path) -> tuple[ApiKey, ...]:
    wait_if_hanging(path.parent)
    return read_keys(path)


if __name__ == "__main__":
    api_keys.read_keys = read_hanging_keys
    serving.open_store = lambda address, **_: HangingStore(address.value)
    sys.exit(server.main())
