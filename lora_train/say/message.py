"""A message: text for whoever reads it now, key and values for whoever reads it later."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .catalogue import parts, table
from .grammar import fill
from .language import LANGUAGES, language


class Said(str):
    """A sentence in the language it was said in, with the key and the values that it was made of.

    Everything that takes a text takes it. What is cut out of it or joined to it is a plain text again.
    """

    key: str
    values: Mapping[str, Any]
    """Numbers, texts, other messages, and lists of them."""

    def __new__(cls, text: str, key: str, values: Mapping[str, Any]) -> Said:
        made = super().__new__(cls, text)
        made.key, made.values = key, values
        return made

    def __getnewargs__(self) -> tuple[str, str, Mapping[str, Any]]:  # type: ignore[override]
        return str.__str__(self), self.key, self.values

    def __str__(self) -> str:
        return self  # so that str(error) of an error that was raised with a message still is one


def say(key: str, /, **values: Any) -> str:
    """The message ``key`` in the current language, a :class:`Said`; its blanks are filled with ``values``.

    Raises:
        KeyError: there is no such message, or a blank without a value.
    """
    for name, value in values.items():
        if type(value) not in _KNOWN:
            values[name] = _plain(value)
    return Said(_worded(key, values, language()), key, values)


def knows(key: str) -> bool:
    """Whether there is a message ``key``: a code of a file may be one of a later version."""
    area, _, name = key.partition(".")
    return name in table(area, LANGUAGES[0])


def blanks(key: str) -> frozenset[str]:
    """Names of the values that the message ``key`` needs."""
    return frozenset(name for _, name, _ in parts(key, LANGUAGES[0]) if name is not None)


def written(value: Any) -> Any:
    """``value`` for a file: every message in it as ``{"key": ..., "values": {...}}``."""
    if isinstance(value, Said):
        return {"key": value.key, "values": {name: _kept(item) for name, item in value.values.items()}}
    if isinstance(value, Mapping):
        return {name: written(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return value


def _kept(value: Any) -> Any:
    """JSON knows no NaN and no infinity: such a number is kept as its name."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else written(value)


def heard(value: Any) -> Any:
    """What :func:`written` made, with its messages in the current language.

    Never raises: a message of a newer version, or one that was changed by hand, shows its key and values.
    """
    if isinstance(value, list):
        return [heard(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {"key", "values"} or not isinstance(value["key"], str) or not isinstance(value["values"], dict):
        return {name: heard(item) for name, item in value.items()}
    key, values = value["key"], heard(value["values"])
    try:
        text = _worded(key, values, language())
    except (KeyError, ValueError, TypeError, IndexError):
        text = f"{key} ({', '.join(f'{name}: {item}' for name, item in values.items())})"
    return Said(text, key, values)


def _worded(key: str, values: Mapping[str, Any], code: str) -> str:
    said = []
    for words, name, form in parts(key, code):
        said.append(words)
        if name is not None:
            said.append(fill(values[name], form, code))
    return "".join(said)


_KNOWN = (str, int, float, Said)


def _plain(value: Any) -> Any:
    """A value that JSON knows: array scalars become numbers, tuples lists; paths and errors become texts."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else str(value)
