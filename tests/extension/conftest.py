from pathlib import Path

import pytest

from tests.extension.source_copy import SourceCopy, copy_source


@pytest.fixture
def source(tmp_path: Path) -> SourceCopy:
    return copy_source(tmp_path / "source")
