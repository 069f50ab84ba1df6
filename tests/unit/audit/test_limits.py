"""Limits are data, with a unit and a source each."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from lora_train import presets
from lora_train.audit.limits import DEFAULT_LIMITS, Limits, load_limits
from lora_train.errors import BadInputError


def test_every_limit_has_a_unit_and_a_source() -> None:
    rows = presets.read("limits")
    for field in dataclasses.fields(Limits):
        assert set(rows[field.name]) == {"value", "unit", "source"}, field.name
        assert len(rows[field.name]["source"]) > 10


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    path.write_text('{"max_blur_px": 3}')
    assert load_limits(path) == DEFAULT_LIMITS.replace(max_blur_px=3.0)
    path.write_text(json.dumps(presets.read("limits")))
    assert load_limits(path, Limits.for_resolution(96)) == DEFAULT_LIMITS


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_text('{"max_blur": 3, "min_side_px": "big"}')
    with pytest.raises(BadInputError) as caught:
        load_limits(path)
    text = str(caught.value)
    assert "my.json" in text and "did you mean 'max_blur_px'" in text and "min_side_px must be a whole" in text


def test_impossible_values() -> None:
    with pytest.raises(BadInputError) as caught:
        DEFAULT_LIMITS.replace(min_light=2.0, max_blur_px=-1.0, duplicate_bits=65)
    assert all(n in str(caught.value) for n in ("min_light", "max_blur_px", "duplicate_bits"))
