"""Tensor names of transformers: one-file layout <-> diffusers, as a short list of rules.

In a rule ``{}`` stands for a block number and ``*`` for any path. A layer of the file may hold several
layers of the library one under the other (fused q, k and v). Names without a rule are the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

Swap = Literal["never", "always", "pairs"]


@dataclass(frozen=True)
class Rule:
    """``file``: one layer in the file; ``library``: the layers that it holds."""

    file: str
    library: tuple[str, ...]
    swap: Swap = "never"
    """Exchange the halves (scale and shift); ``pairs``: only where a layer has twice as many rows as columns."""

    @cached_property
    def from_file(self) -> re.Pattern[str]:
        return _pattern(self.file)

    @cached_property
    def from_library(self) -> re.Pattern[str]:
        return _pattern(self.library[0])


def rules(table: Mapping[str, str | tuple[str, ...]], prefix: tuple[str, str] = ("", "")) -> tuple[Rule, ...]:
    """Rules from ``{name in the file: name(s) in the library}``, each side behind its prefix."""
    file, library = prefix
    return tuple(
        Rule(file + name, tuple(library + n for n in ((names,) if isinstance(names, str) else names)))
        for name, names in table.items()
    )


def _pattern(name: str) -> re.Pattern[str]:
    text = re.escape(name).replace(r"\{\}", r"(\d+)").replace(r"\*", "(.+)")
    return re.compile(text)


def _filled(name: str, parts: Iterable[str]) -> str:
    found = iter(parts)
    return re.sub(r"\{\}|\*", lambda _: next(found), name)


def to_library(
    tensors: Mapping[str, torch.Tensor], table: Iterable[Rule], rows: Callable[[str], int]
) -> dict[str, torch.Tensor]:
    """The tensors under the library's names; ``rows(name)`` is how many rows one of them has there.

    Raises:
        KeyError: a fused layer names a layer that the library does not have.
    """
    table = tuple(table)
    found: dict[str, torch.Tensor] = {}
    for name, value in tensors.items():
        module, dot, leaf = name.rpartition(".")
        end = f".{'weight' if leaf == 'scale' else leaf}"
        rule, match = _find(table, module) if dot else (None, None)
        if rule is None or match is None:
            rule, match = _find(table, name)
            module, end = (name, "") if rule else (module, end if dot else leaf)
        if rule is None or match is None:
            found[module + end] = value
            continue
        if _swaps(rule, tensors, module):
            value = _swapped(value)
        names = [_filled(part, match.groups()) + end for part in rule.library]
        parts = value.split([rows(part) for part in names]) if len(names) > 1 else [value]
        found.update(zip(names, parts, strict=True))
    return found


def groups(modules: Iterable[str], table: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    """Layers of the file that hold the library's ``modules``: ``{file: library layers}``."""
    table, known = tuple(table), list(modules)
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for module in known:
        for rule in table:
            match = rule.from_library.fullmatch(module)
            if match:
                names = tuple(_filled(part, match.groups()) for part in rule.library)
                found[_filled(rule.file, match.groups())] = names
                taken.update(names)
                break
    return {**found, **{module: (module,) for module in known if module not in taken}}


def single_names(modules: Iterable[str], table: Iterable[Rule]) -> dict[str, str]:
    """``{library: file}`` for the layers that correspond one to one."""
    return {names[0]: file for file, names in groups(modules, table).items() if len(names) == 1}


def _find(table: tuple[Rule, ...], name: str) -> tuple[Rule | None, re.Match[str] | None]:
    for rule in table:
        match = rule.from_file.fullmatch(name)
        if match:
            return rule, match
    return None, None


def _swaps(rule: Rule, tensors: Mapping[str, Any], module: str) -> bool:
    if rule.swap == "pairs":
        rows, columns = tensors[f"{module}.weight"].shape
        return rows == 2 * columns
    return rule.swap == "always"


def _swapped(value: torch.Tensor) -> torch.Tensor:
    import torch

    first, second = value.chunk(2)
    return torch.cat([second, first])
