"""A smaller LoRA: by rank, by the energy to keep, or by the size of the file.

Each layer is cut to its leading singular directions, the best approximation of that rank there is
(Eckart-Young). The SVD comes from the factors (:mod:`.factors`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .derive import Layer, Parent, derived_metadata, shaped, to_tensors
from .factors import singular_values, spectrum, stored
from .file import header_bytes, save_lora
from .kinds import writable
from .reader import Entry, LoraFile, open_lora

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Target:
    """What to cut to; exactly one is given."""

    rank: int | None = None
    energy: float | None = None
    """Share of each layer's squared norm to keep, above 0 and up to 1."""
    bytes: int | None = None
    """Largest size of the new file."""

    def problems(self) -> list[str]:
        given = [n for n, v in (("rank", self.rank), ("energy", self.energy), ("size", self.bytes)) if v is not None]
        if len(given) != 1:
            return [say("lora.one_target", given=given) if given else say("lora.no_target")]
        if self.rank is not None and self.rank < 1:
            return [say("lora.rank_least", rank=self.rank)]
        if self.energy is not None and not 0 < self.energy <= 1:
            return [say("lora.energy_such_as", energy=self.energy)]
        if self.bytes is not None and self.bytes < 1:
            return [say("lora.size_least", size=self.bytes)]
        return []


@dataclass(frozen=True)
class LayerLoss:
    """What one layer lost."""

    layer: str
    rank_before: int
    rank_after: int
    relative_error: float


@dataclass(frozen=True)
class Resized:
    """``relative_error = ||before - after|| / ||before||`` over all layers, rounding of the file included."""

    path: Path
    rank_before: int
    rank_after: int
    """The largest rank of any layer."""
    energy_kept: float
    relative_error: float
    bytes_before: int
    bytes_after: int
    layers: tuple[LayerLoss, ...]

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}


def resize(path: Path, out: Path, target: Target, *, dtype: Any = None, observer: Observer | None = None) -> Resized:
    """Write a smaller LoRA to ``out``. The names of the file and its number type stay as they are.

    Raises:
        BadInputError: the target makes no sense or cannot be met, NaN in the file, or ``out`` is the input.
        UnsupportedModelError: no plain LoRA.
    """
    observer = observer or NullObserver()
    BadInputError.collect([*target.problems(), *same_file_problems(out, [path])])
    with open_lora(path) as file:
        kind = dtype or file.dtype
        ranks = _ranks(file, target, kind, observer)
        observer.stage("resize")
        layers: dict[str, Layer] = {}
        losses: list[LayerLoss] = []
        energies = np.zeros(2)
        for done, (place, entry) in enumerate(file.places.items()):
            observer.check_cancelled()
            layers[place], loss, numbers = _cut(file, place, entry, ranks[place], target.energy, kind)
            losses.append(loss)
            energies += numbers
            observer.progress(done + 1, len(file.places))
        metadata = file.header.metadata
        tensors = to_tensors(layers, writable(file.form), file.family)
    after = max(loss.rank_after for loss in losses)
    error = math.sqrt(energies[1] / energies[0]) if energies[0] > 0 else 0.0
    facts = {"relative_error": error, "target": {k: v for k, v in asdict(target).items() if v is not None}}
    save_lora(out, tensors, derived_metadata(
        [Parent(path, metadata)], tensors, method="resize", rank=after, title=out.stem, **facts))  # fmt: skip
    return Resized(
        path=out,
        rank_before=max(entry.rank for entry in file.places.values()),
        rank_after=after,
        energy_kept=1.0 - min(error * error, 1.0),
        relative_error=error,
        bytes_before=Path(path).stat().st_size,
        bytes_after=Path(out).stat().st_size,
        layers=tuple(losses),
    )


def _cut(
    file: LoraFile, place: str, entry: Entry, rank: int, energy: float | None, dtype: torch.dtype
) -> tuple[Layer, LayerLoss, np.ndarray]:
    """The smaller layer, what it lost, and ``[energy before, squared error]``."""
    up, down = file.scaled(place)
    found = spectrum(up, down)
    before = found.energy()
    if energy is not None:
        rank = rank_for_energy(found.values, energy)
    new_up, new_down, rounding = stored(*found.cut(min(rank, len(found.values))), dtype)
    lost = found.tail(new_down.shape[0]) + rounding
    relative = math.sqrt(lost / before) if before > 0 else 0.0
    layer = shaped(new_up, new_down, kernel_of(file, entry))
    return layer, LayerLoss(entry.layer, entry.rank, new_down.shape[0], relative), np.array([before, lost])


def rank_for_energy(values: torch.Tensor, energy: float) -> int:
    """The smallest rank that keeps this share of the squared norm; at least 1."""
    share = values.double().square().cumsum(0)
    return min(int((share < energy * share[-1] * (1 - 1e-9)).sum()) + 1, len(values))


def kernel_of(file: LoraFile, entry: Entry) -> tuple[int, ...]:
    """``(in,)`` of a linear layer, ``(in, kh, kw)`` of a convolution."""
    shape = file.header.shape(entry.down)[1:]
    return (*shape[:1], *file.header.shape(entry.mid)[2:]) if entry.mid else shape


def _ranks(file: LoraFile, target: Target, dtype: torch.dtype, observer: Observer) -> Mapping[str, int]:
    """The rank of each place; for an energy it is found layer by layer, later."""
    if target.bytes is None:
        wanted = target.rank or 1
        return {place: min(wanted, entry.rank) for place, entry in file.places.items()}
    return _ranks_for_bytes(file, target.bytes, dtype, observer)


def _ranks_for_bytes(file: LoraFile, limit: int, dtype: torch.dtype, observer: Observer) -> Mapping[str, int]:
    """Ranks that lose least within a file size: the directions with the most energy per byte come first.

    Raises:
        BadInputError: rank 1 everywhere is already too large.
    """
    import torch

    size = torch.empty(0, dtype=dtype).element_size()
    places = list(file.places)
    cost = np.array([(file.places[p].inputs + file.places[p].outputs) * size for p in places], np.float64)
    room = limit - _overhead(file) - cost.sum()
    if room < 0:
        raise BadInputError(
            say(
                "lora.size_too_small",
                given_mb=limit / 1e6,
                layers=len(places),
                needed_mb=(limit - room) / 1e6,
            )
        )
    observer.stage("measure")
    owners: list[np.ndarray] = []
    worth: list[np.ndarray] = []
    for row, place in enumerate(places):
        observer.check_cancelled()
        values = singular_values(*file.scaled(place)).double().numpy()[1:]
        owners.append(np.full(len(values), row))
        worth.append(values**2 / cost[row])
        observer.progress(row + 1, len(places))
    owner = np.concatenate(owners)
    order = owner[np.argsort(-np.concatenate(worth), kind="stable")]
    taken = order[np.cumsum(cost[order]) <= room]
    return dict(zip(places, (1 + np.bincount(taken, minlength=len(places))).tolist(), strict=True))


def _overhead(file: LoraFile) -> int:
    """Bytes that the new file needs besides its factors: header, metadata, alphas."""
    import torch

    empty = {name: torch.empty(0) for name in file.header.tensors}
    names = len(header_bytes(empty, file.header.metadata))
    return names + 24 * len(empty) + 4 * len(file.layers) + 4096


def same_file_problems(out: Path, inputs: list[Path]) -> list[str]:
    """Why ``out`` cannot be written: it is one of the inputs, or no LoRA's name."""
    problems = [] if out.suffix == ".safetensors" else [say("lora.out_suffix", out=out)]
    if any(out.resolve() == Path(path).resolve() for path in inputs):
        problems.append(say("lora.out_is_input", name=out.name))
    return problems
