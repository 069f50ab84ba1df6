"""Dataclasses to JSON and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from lora_train.config import Format, decode, encode, read_json
from lora_train.errors import BadInputError


@dataclass(frozen=True)
class Inner:
    size: tuple[int, int]
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    name: str
    rate: float
    flag: bool = False
    limit: int | None = None
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    path: Path = Path("x")


FULL = Outer("n", 0.5, True, 3, Inner((1, 2), "b"), (Inner((3, 4)),), {"s": 1.0}, Path("a/b"))


def test_round_trip() -> None:
    assert decode(Outer, encode(FULL)) == FULL
    assert decode(Outer, {"name": "n", "rate": 1}) == Outer("n", 1.0)


def test_all_problems_at_once() -> None:
    bad = {"nam": "n", "rate": True, "flag": 1, "limit": 1.5, "inner": {"size": [1], "kind": "c"}, "many": 3}
    with pytest.raises(BadInputError) as caught:
        decode(Outer, bad, "file")
    text = str(caught.value)
    for part in (
        "'nam'; did you mean 'name'?",
        "name is missing",
        "rate must be a finite number",
        "flag must be true or false",
        "limit must be a whole number",
        "inner.size must hold 2 values, found 1",
        "inner.kind must be one of 'a', 'b', found 'c'",
        "many must be a list",
    ):
        assert part in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(BadInputError, match="finite"):
        decode(Outer, {"name": "n", "rate": value})


def test_format_migrates_older_versions() -> None:
    new = Format("t", 3, {1: lambda f: {"name": f["name"], "rate": f["speed"]}, 2: lambda f: {**f, "flag": True}})
    assert new.unpack(Outer, {"kind": "t", "version": 1, "name": "n", "speed": 2}) == Outer("n", 2.0, True)


def test_format_refuses_what_it_cannot_know() -> None:
    form = Format("t", 1)
    with pytest.raises(BadInputError, match="newer Lorasmith"):
        form.unpack(Outer, {"kind": "t", "version": 2})
    with pytest.raises(BadInputError, match="this is a 'u' file"):
        form.unpack(Outer, {"kind": "u", "version": 1})
    with pytest.raises(BadInputError, match="expected a JSON object"):
        form.unpack(Outer, [1])
    with pytest.raises(BadInputError, match="'version' must be"):
        form.unpack(Outer, {"version": "one"})


def test_reading_json_says_where_it_breaks(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": 1,\n "b" 2}')
    with pytest.raises(BadInputError, match="line 2, column 6"):
        read_json(path)
    with pytest.raises(BadInputError, match="There is no file"):
        read_json(tmp_path / "b.json")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="Cannot read"):
        read_json(path)
