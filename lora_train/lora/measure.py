"""What is known of a stack whatever its strengths: sums per block, made once, read at every slider move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..families.header import Header, read_header
from .base_weights import base_weights, matched, norms
from .gram import StackGram
from .kinds import AdapterKind, family_of, kinds_of
from .places import block_of, block_order, kind_of, to_parts
from .reader import header_of, places_of, read_layers


@dataclass(frozen=True)
class Row:
    """One LoRA of the stack, as its file describes it."""

    name: str
    path: Path
    sha256: str
    family: str
    kinds: Mapping[AdapterKind, int]
    layers: int
    metadata: Mapping[str, str]
    matched: float | None
    """Share of its layers that the base has in the same size; None without a base."""


@dataclass(frozen=True)
class Blocks:
    """Sums over the layers of each block and kind, at strength 1. ``relative``: divided by the base's norms."""

    labels: tuple[tuple[str, str], ...]
    """(block, kind), in the order in which the network runs them."""
    text: np.ndarray
    """(blocks,) True for the text encoders, which follow the text strength."""
    gram: np.ndarray
    """(blocks, n, n) ``sum_l <D_i, D_j>``, each layer divided by ``||W_l||^2`` when ``relative``."""
    weight: np.ndarray
    """(blocks, n, n) ``sum_l ||D_i|| ||D_j||``: what the next three are weighted with."""
    overlap: np.ndarray
    """(3, blocks, n, n) weighted sums of the overlap: of both sides (geometric mean), inputs, outputs."""
    chance: np.ndarray
    """(blocks, n, n) weighted sum of the overlap that unrelated LoRAs of these sizes would have."""
    relative: bool
    counts: np.ndarray
    """(blocks, n) layers."""


def read_rows(files: Sequence[Path], ids: Sequence[str], base: Path | None) -> tuple[Row, ...]:
    """The rows of a stack. Names are file names without ending, numbered where two are alike."""
    weights = base_weights(read_header(base)) if base else None
    rows: list[Row] = []
    for file, sha256 in zip(files, ids, strict=True):
        header = header_of(Path(file))
        layers = read_layers(header, partly=True)
        rows.append(
            Row(
                name=_free_name(Path(file).stem, [row.name for row in rows]),
                path=Path(file),
                sha256=sha256,
                family=family_of(header),
                kinds=kinds_of(header),
                layers=len(layers),
                metadata=header.metadata,
                matched=None if weights is None else matched(weights, _sizes(header)),
            )
        )
    return tuple(rows)


def _free_name(stem: str, taken: Sequence[str]) -> str:
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem} ({number})"
    return name


def _sizes(header: Header) -> dict[str, tuple[int, int]]:
    places = places_of(header.path, read_layers(header, partly=True), family_of(header))
    return {place: (entry.inputs, entry.outputs) for place, entry in places.items()}


def sum_blocks(table: StackGram, base: Path | None = None, cache: Path | None = None) -> Blocks:
    """Sum a stack's table over blocks; with a base, relative to the size of its weights."""
    keys = [(*_label(place), place) for place in table.places]
    labels = sorted({(block, kind) for block, kind, _ in keys}, key=lambda k: (block_order(k[0]), k[1]))
    group = np.array([labels.index((block, kind)) for block, kind, _ in keys], np.intp)
    scale = _scales(table, base, cache)
    inner = table.inner * scale[:, None, None]
    sums = _Sums(group, len(labels))
    own = np.sqrt(np.clip(np.diagonal(inner, axis1=1, axis2=2), 0, None))  # (L, n)
    weight = own[:, :, None] * own[:, None, :]
    inside, chance_in = _overlap(table.inside, table.inner, table.sizes[:, 0])
    outside, chance_out = _overlap(table.outside, table.inner, table.sizes[:, 1])
    both = np.sqrt(inside * outside)
    text = np.array([any(to_parts(p)[0] != "unet" for b, k, p in keys if (b, k) == label) for label in labels])
    return Blocks(
        labels=tuple(labels),
        text=text,
        gram=sums(inner),
        weight=sums(weight),
        overlap=np.stack([sums(weight * side) for side in (both, inside, outside)]),
        chance=sums(weight * np.sqrt(chance_in * chance_out)),
        relative=base is not None,
        counts=sums((own > 0).astype(float)),
    )


def _label(place: str) -> tuple[str, str]:
    part = to_parts(place)[0]
    block = block_of(place)
    return (part if block == "other" and part != "unet" else block), kind_of(place)


@dataclass(frozen=True)
class _Sums:
    group: np.ndarray
    count: int

    def __call__(self, values: np.ndarray) -> np.ndarray:
        total = np.zeros((self.count, *values.shape[1:]))
        np.add.at(total, self.group, values)
        return total


def _scales(table: StackGram, base: Path | None, cache: Path | None) -> np.ndarray:
    """(L,) ``1 / ||W_l||^2``, and 0 for layers that the base lacks; ones without a base."""
    if base is None:
        return np.ones(len(table.places))
    sizes = norms(base, table.places, cache)
    return np.array([1.0 / max(sizes[p], 1e-12) ** 2 if p in sizes else 0.0 for p in table.places])


def _overlap(side: np.ndarray, inner: np.ndarray, dims: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(L, n, n) overlap 0..1 of where the energy lies, and what chance alone would give.

    ``<C_i, C_j> / (||C_i|| ||C_j||)``; for unrelated ones ``sqrt(e_i e_j) / d`` with the effective rank
    ``e = tr(C)^2 / ||C||^2``.
    """
    own = np.diagonal(side, axis1=1, axis2=2)  # ||C_i||^2
    root = np.sqrt(np.clip(own, 0, None))
    both = root[:, :, None] * root[:, None, :]
    overlap = np.divide(side, both, out=np.zeros_like(side), where=both > 0)
    trace = np.diagonal(inner, axis1=1, axis2=2)
    effective = np.divide(trace, root, out=np.zeros_like(trace), where=root > 0)
    chance = effective[:, :, None] * effective[:, None, :] / np.maximum(dims, 1)[:, None, None]
    return np.clip(overlap, 0.0, 1.0), np.clip(chance, 0.0, 1.0)
