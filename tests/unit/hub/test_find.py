"""Fetched LoRAs again, by content."""

from __future__ import annotations

import json
from pathlib import Path

from hub_server import lora_file, sha256

from lora_train.hub.find import find_content, is_content, read_facts

LORA = lora_file(5)


def put(path: Path, content: bytes = LORA, claimed: str = sha256(LORA)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps({"lorasmith": {"sha256": claimed}}))
    return path


def test_found_wherever_it_was_moved_to(tmp_path: Path) -> None:
    assert find_content([tmp_path / "none", tmp_path], sha256(LORA)) is None
    moved = put(tmp_path / "b" / "people" / "x.safetensors")
    assert find_content([tmp_path / "a", tmp_path / "b"], sha256(LORA)) == moved


def test_the_content_decides_not_what_is_written_beside_it(tmp_path: Path) -> None:
    path = put(tmp_path / "x.safetensors", b"another file")
    assert find_content([tmp_path], sha256(LORA)) is None
    path.write_bytes(LORA)  # other size, other time: the sum is not remembered
    assert find_content([tmp_path], sha256(LORA)) == path
    assert not is_content(tmp_path, sha256(LORA)) and not is_content(tmp_path / "none", sha256(LORA))


def test_sidecars_of_others_are_passed_over(tmp_path: Path) -> None:
    for name, text in {"a": "{", "b": "[]", "c": '{"lorasmith": 5}', "d": "[" * 100_000, "e": "\x00"}.items():
        (tmp_path / f"{name}.json").write_text(text)
        assert read_facts(tmp_path / f"{name}.safetensors") == {}
    (tmp_path / "f.json").mkdir()
    put(tmp_path / "z.safetensors")
    assert find_content([tmp_path], sha256(LORA)) == tmp_path / "z.safetensors"
