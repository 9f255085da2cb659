from pathlib import Path

import pytest

from tests.drills.catalog import DRILLS


@pytest.mark.slow
@pytest.mark.parametrize("name", DRILLS)
def test_short_drill(name: str, tmp_path: Path) -> None:
    drill = DRILLS[name]
    result = drill.run(tmp_path, drill.short)
    assert result.failures == []
    assert result.attempts >= drill.short
