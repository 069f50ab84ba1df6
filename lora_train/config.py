"""Frozen dataclasses to JSON and back, with a version, migrations and every problem at once.

A file looks like ``{"kind": "lorasmith.plan", "version": 1, ...fields}``. An older version is
brought up to date by the migrations of its :class:`Format`; a newer one is refused.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import BadInputError
from .files import write_json
from .say import Said, heard, say, written

T = TypeVar("T")
Migration = Callable[[dict[str, Any]], dict[str, Any]]


def encode(value: Any) -> Any:
    """The JSON form of a value made of dataclasses, tuples, mappings, paths, messages and plain scalars."""
    if isinstance(value, Said):
        return written(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [encode(v) for v in value]
    if isinstance(value, Path):
        return value.as_posix()
    return value


def shown(value: Any) -> Any:
    """The same as :func:`encode` for a reader: messages as text in the current language."""
    return heard(encode(value))


def decode(cls: type[T], data: Any, what: str = "") -> T:
    """Build ``cls`` from its JSON form.

    Raises:
        BadInputError: lists every unknown name, missing name and value of the wrong type at once.
    """
    problems: list[str] = []
    value = _decode(cls, data, "", problems)
    if problems and what:
        if len(problems) == 1:
            raise BadInputError(say("errors.of_one", what=what, why=problems[0]))
        raise BadInputError(say("errors.of_several", what=what, problems=problems))
    BadInputError.collect(problems)
    return value


@dataclass(frozen=True)
class Format:
    """A kind of file. ``migrations[n]`` turns the fields of version n into those of n + 1."""

    kind: str
    version: int
    migrations: Mapping[int, Migration] = field(default_factory=dict)

    def pack(self, value: Any) -> dict[str, Any]:
        """The JSON form of a dataclass, with kind and version."""
        return {"kind": self.kind, "version": self.version, **encode(value)}

    def fields(self, data: Any, what: str = "") -> dict[str, Any]:
        """The fields in ``data``, brought to the current version.

        Raises:
            BadInputError: ``data`` is no object, of another kind, or of a newer version.
        """
        what = what or self.kind
        if not isinstance(data, dict):
            raise BadInputError(say("errors.no_object", what=what, found=_name_of(data)))
        rest = {k: v for k, v in data.items() if k not in ("kind", "version")}
        kind, version = data.get("kind", self.kind), data.get("version", self.version)
        if kind != self.kind:
            raise BadInputError(say("errors.other_kind", what=what, kind=kind, wanted=self.kind))
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise BadInputError(say("errors.bad_version", what=what, found=repr(version)))
        if version > self.version:
            raise BadInputError(say("errors.newer_version", what=what, version=version, known=self.version))
        for step in range(version, self.version):
            rest = self.migrations[step](rest)
        return rest

    def unpack(self, cls: type[T], data: Any, what: str = "") -> T:
        """Build ``cls`` from what :meth:`pack` made, now or in an older release."""
        return decode(cls, self.fields(data, what), what or self.kind)

    def save(self, value: Any, path: Path, durable: bool = True) -> None:
        """Write ``value`` to ``path``, whole or not at all; ``durable`` False for a cache."""
        write_json(Path(path), self.pack(value), durable)

    def load(self, cls: type[T], path: Path) -> T:
        """Read what :meth:`save` wrote."""
        return self.unpack(cls, read_json(path), Path(path).name)


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        BadInputError: missing, unreadable or not JSON (with line and column).
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise BadInputError(say("errors.no_file", path=path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(say("errors.cannot_read", path=path, why=error)) from error
    except json.JSONDecodeError as error:
        raise BadInputError(
            say("errors.no_json", path=path, why=error.msg, line=error.lineno, column=error.colno)
        ) from error


def _name_of(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "bool", type(None): "null"}
    name = names.get(type(value))
    return say(f"errors.found_{name}") if name else say("errors.found_number", value=value)


def _no_object(where: str, data: Any) -> str:
    return say("errors.must_be", where=where, wanted=say("errors.wanted_object"), found=_name_of(data))


def _decode(kind: Any, data: Any, where: str, problems: list[str]) -> Any:
    """Value of type ``kind`` from ``data``; what is wrong goes to ``problems`` under ``where``."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return heard(data)
    if origin in (Union, types.UnionType):
        return _decode_union(args, data, where, problems)
    if origin is Literal:
        if data not in args:
            problems.append(say("errors.must_be_one_of", where=where, known=[repr(a) for a in args], found=repr(data)))
        return data
    if origin is tuple:
        return _decode_tuple(args, data, where, problems)
    if origin in (dict, Mapping):
        if not isinstance(data, dict):
            problems.append(_no_object(where, data))
            return {}
        return {k: _decode(args[1], v, f"{where}.{k}", problems) for k, v in data.items()}
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, data, where, problems)
    return _decode_scalar(kind, data, where, problems)


def _decode_union(kinds: tuple[Any, ...], data: Any, where: str, problems: list[str]) -> Any:
    if data is None and type(None) in kinds:
        return None
    rest = [k for k in kinds if k is not type(None)]
    return _decode(rest[0], data, where, problems)


def _decode_tuple(kinds: tuple[Any, ...], data: Any, where: str, problems: list[str]) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        problems.append(say("errors.must_be", where=where, wanted=say("errors.wanted_list"), found=_name_of(data)))
        return ()
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(data)
    elif len(kinds) != len(data):
        problems.append(say("errors.must_hold", where=where, count=len(kinds), found=len(data)))
        return ()
    return tuple(_decode(k, v, f"{where}[{i}]", problems) for i, (k, v) in enumerate(zip(kinds, data, strict=True)))


def _decode_dataclass(cls: Any, data: Any, where: str, problems: list[str]) -> Any:
    if not isinstance(data, dict):
        problems.append(_no_object(where or cls.__name__, data))
        return None
    before = len(problems)
    hints, dot = get_type_hints(cls), f"{where}." if where else ""
    known = {f.name: f for f in dataclasses.fields(cls) if f.init}
    problems += [unknown_name(dot + str(k), [dot + n for n in known]) for k in data if k not in known]
    values = {n: _decode(hints[n], data[n], dot + n, problems) for n in known if n in data}
    required = dataclasses.MISSING
    problems += [
        say("errors.is_missing", where=dot, name=n)
        for n, f in known.items()
        if n not in data and f.default is required and f.default_factory is required
    ]
    if len(problems) > before:
        return None
    try:
        return cls(**values)
    except BadInputError as error:
        problems.extend(error.problems)
        return None


def unknown_name(name: str, known: list[str]) -> str:
    """The sentence for a name that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(name, known, n=1)
    return say("errors.no_setting_near", name=name, near=near[0]) if near else say("errors.no_setting", name=name)


def _decode_scalar(kind: Any, data: Any, where: str, problems: list[str]) -> Any:
    if kind is Path and isinstance(data, str):
        return Path(data)
    if kind is str and isinstance(data, dict) and isinstance(said := heard(data), Said):
        return said
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool) and math.isfinite(data):
        return float(data)
    if kind is int and isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, kind) and not (kind is int and isinstance(data, bool)) and kind is not float:
        return data
    names = {str: "text", int: "whole", float: "finite", bool: "bool", Path: "path"}
    wanted = say(f"errors.wanted_{names[kind]}") if kind in names else str(kind)
    problems.append(say("errors.must_be", where=where, wanted=wanted, found=_name_of(data)))
    return None
