"""TOML in and out: only what settings of trainers need (strings, numbers, booleans, lists, tables)."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..say import say


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        BadInputError: it cannot be read, or this Python has no reader for TOML.
    """
    try:
        return _parser().loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadInputError(say("cli.no_toml", path=path, why=error)) from error


def _parser() -> Any:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib
    try:
        import tomli
    except ImportError as error:
        raise BadInputError(say("cli.no_toml_library")) from error
    return tomli


def to_toml(data: Mapping[str, Any], comment: str = "") -> str:
    """TOML text of ``data``; lists of mappings become arrays of tables. None is left out.

    Raises:
        TypeError: a value that TOML has no form for.
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    _write_table(lines, data, ())
    return "\n".join(lines) + "\n"


def _write_table(lines: list[str], table: Mapping[str, Any], at: tuple[str, ...]) -> None:
    inner = {name: value for name, value in table.items() if _is_table(value)}
    lines += [f"{_key(n)} = {_value(v)}" for n, v in table.items() if n not in inner and v is not None]
    for name, value in inner.items():
        path = (*at, name)
        title = ".".join(map(_key, path))
        for part in [value] if isinstance(value, Mapping) else value:
            lines += ["", f"[{title}]" if isinstance(value, Mapping) else f"[[{title}]]"]
            _write_table(lines, part, path)


def _is_table(value: Any) -> bool:
    tables = isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value)
    return isinstance(value, Mapping) or bool(tables)


def _key(name: str) -> str:
    bare = name and all(c.isascii() and (c.isalnum() or c in "_-") for c in name)
    return name if bare else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str | Path):
        return _text(str(value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    raise TypeError(f"TOML has no form for {value!r}")


def _float(value: float) -> str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    text = repr(value)
    return text if any(c in text for c in ".e") else text + ".0"


def _text(value: str) -> str:
    """A basic string: JSON's escapes are TOML's, apart from DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
