"""A server whose store can hang: the first reader that finds the file `hang` waits without end."""

import sys
import threading
from collections.abc import Mapping

import housectl_server.__main__ as server
from housectl.store.local import LocalStore

HANG = "hang"


class HangingStore(LocalStore):
    def _revisions(self, folder: str) -> Mapping[str, object]:
        hang = self.path / HANG
        if hang.exists():
            hang.unlink()
            threading.Event().wait()
        return super()._revisions(folder)


if __name__ == "__main__":
    server.open_store = lambda address, **_: HangingStore(address.value)
    sys.exit(server.main())
