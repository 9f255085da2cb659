import gc
import weakref
from pathlib import Path

from housectl.store.local import LocalStore
from housectl_server.following.hot_swap import HotSwapApp
from housectl_server.following.store_poller import load_champion
from housectl_server.monitoring.monitor import Monitor
from tests.server.bundles import make_bundle, promote


def test_replaced_model_is_freed(store: LocalStore, tmp_path: Path) -> None:
    hot_swap = HotSwapApp(Monitor())
    served = []
    for base in (1.0, 2.0):
        champion = load_champion(store, [promote(store, make_bundle(tmp_path, base=base))])
        served.append(weakref.ref(champion.model))
        hot_swap.switch(hot_swap.prepare(champion))
    del champion
    gc.collect()
    first, second = (model() for model in served)
    assert first is None
    assert second is not None
