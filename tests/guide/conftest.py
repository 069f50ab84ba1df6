"""One normal run of the guide, shared by the slow tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora_train.errors import LorasmithError
from lora_train.observer import NullObserver
from lora_train.quickstart import Guide, quickstart


@pytest.fixture(scope="session")
def base() -> Path:
    """The starter base; skips with one line where its weights or the embedder's are not there."""
    from lora_train.starter import starter_checkpoint, starter_embedder_files

    missing = [path.name for path in starter_embedder_files() if not path.is_file()]
    if missing:
        pytest.skip(f"the starter's weights are not here yet: {missing[0]}")
    try:
        return starter_checkpoint()
    except LorasmithError as error:
        pytest.skip(str(error).splitlines()[0])


@pytest.fixture(scope="session")
def normal_run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Guide:
    """``lorasmith quickstart`` with nothing changed."""
    return quickstart(tmp_path_factory.mktemp("quickstart"), NullObserver())
