"""Several LoRAs in one file: exactly (ranks side by side), or cut to a rank or an energy afterwards.

Adding the factors of different LoRAs (as some tools do) is not adding their changes: ``(B1 + B2)(A1 + A2)``
has cross terms. Here the changes are added. TIES and DARE come from peft and work on each layer's full
change, one layer at a time, followed by a randomised SVD.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import BadInputError
from ..observer import NullObserver, Observer
from ..say import say
from .blocks import BlockFactors
from .derive import Layer, Parent, derived_metadata, shaped, to_tensors
from .factors import join_rows, reported_squared_norm, spectrum, squared_norm, stored
from .file import save_lora
from .kinds import writable
from .places import Form, block_of, to_parts
from .protect import protect
from .reader import LoraFile, open_lora
from .resize import kernel_of, rank_for_energy, same_file_problems

if TYPE_CHECKING:
    import torch

Method = Literal["sum", "ties", "dare"]
METHODS: tuple[Method, ...] = ("sum", "ties", "dare")
_EXTRA_DIRECTIONS = 16
Pairs = list[tuple["torch.Tensor", "torch.Tensor"]]


@dataclass(frozen=True)
class Part:
    """One LoRA of a merge and its strengths; ``text_strength`` None: the same as ``strength``."""

    path: Path
    strength: float = 1.0
    text_strength: float | None = None
    blocks: BlockFactors = BlockFactors()
    """A factor per block on top of the strength."""

    def strength_at(self, place: str, family: str) -> float:
        text = to_parts(place)[0] != "unet" and self.text_strength is not None
        whole = float(self.text_strength) if text and self.text_strength is not None else self.strength
        return whole * self.blocks.factor(block_of(place), family)


@dataclass(frozen=True)
class Options:
    """How to merge. Without rank and energy the sum is exact."""

    rank: int | None = None
    energy: float | None = None
    method: Method = "sum"
    density: float = 0.5
    """TIES, DARE: share of each change's numbers that is kept."""
    seed: int = 0
    """DARE drops numbers at random."""
    protected: int | None = None
    """Number of the LoRA that the others make way for (:mod:`.protect`)."""
    protect_amount: float = 0.8
    form: Form | None = None
    """Names of the new file; None: those of the first LoRA."""
    dtype: Any = None
    """Number type; None: that of the first LoRA."""

    def problems(self, count: int) -> list[str]:
        found = []
        if self.rank is not None and self.rank < 1:
            found.append(say("lora.rank_least", rank=self.rank))
        if self.energy is not None and not 0 < self.energy <= 1:
            found.append(say("lora.energy_range", energy=self.energy))
        if self.rank is not None and self.energy is not None:
            found.append(say("lora.rank_or_energy"))
        if self.method not in METHODS:
            found.append(say("lora.no_method", method=self.method, known=[*METHODS]))
        if self.method != "sum" and self.rank is None:
            found.append(say("lora.method_rank", method=self.method))
        if not 0 < self.density <= 1:
            found.append(say("lora.density_range", density=self.density))
        if not 0 <= self.protect_amount <= 1:
            found.append(say("lora.protect_range", amount=self.protect_amount))
        if self.protected is not None and not 0 <= self.protected < count:
            found.append(say("lora.protected_number", number=self.protected + 1, count=count))
        return found


@dataclass(frozen=True)
class LayerError:
    """``relative_error``: of the stored layer against the exact sum; rounding alone is estimated at large ranks."""

    layer: str
    rank: int
    relative_error: float


@dataclass(frozen=True)
class Merged:
    """``relative_error = ||sum - stored|| / ||sum||`` over all layers, rounding of the file included."""

    path: Path
    rank: int
    """The largest rank of any layer."""
    relative_error: float
    bytes: int
    layers: tuple[LayerError, ...]
    protected_kept: float | None
    """Share of the other LoRAs' energy that protecting left; None when nothing was protected."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}


def merge(parts: Sequence[Part], out: Path, options: Options = Options(), observer: Observer | None = None) -> Merged:  # noqa: B008
    """Write the sum of ``parts`` at their strengths to ``out``, as one LoRA that works at strength 1.

    Raises:
        BadInputError: families or sizes differ, options make no sense, NaN, or ``out`` is an input.
        UnsupportedModelError: a file is no plain LoRA.
    """
    observer = observer or NullObserver()
    BadInputError.collect([*_problems(parts, out), *options.problems(len(parts))])
    with ExitStack() as stack:
        files = [stack.enter_context(open_lora(part.path)) for part in parts]
        _require_one_family(files)
        for part, file in zip(parts, files, strict=True):
            part.blocks.require(part.path.name, file.family)
        places = list(dict.fromkeys(place for file in files for place in file.places))
        _require_sizes(files, places)
        work = _Work(parts, files, options, options.dtype or files[0].dtype)
        observer.stage("merge")
        layers: dict[str, Layer] = {}
        for done, place in enumerate(places):
            observer.check_cancelled()
            if (layer := work.layer(place)) is not None:
                layers[place] = layer
            observer.progress(done + 1, len(places))
        form = options.form or writable(files[0].form)
        tensors = to_tensors(layers, form, files[0].family)
        parents = [Parent(p.path, f.header.metadata, p.strength) for p, f in zip(parts, files, strict=True)]
    if not tensors:
        raise BadInputError(say("lora.all_zero"))
    error = math.sqrt(work.lost / work.whole) if work.whole > 0 else 0.0
    rank = max(found.rank for found in work.errors)
    facts = {
        "relative_error": error,
        "text_strengths": [p.text_strength for p in parts],
        "blocks": [p.blocks.key for p in parts],
    }
    metadata = derived_metadata(parents, tensors, method=options.method, rank=rank, title=out.stem, **facts)
    save_lora(out, tensors, metadata)
    kept = work.kept / work.others if options.protected is not None and work.others > 0 else None
    return Merged(out, rank, error, out.stat().st_size, tuple(work.errors), kept)


class _Work:
    """Merges one place after the other and adds up what was lost."""

    def __init__(self, parts: Sequence[Part], files: Sequence[LoraFile], options: Options, dtype: Any) -> None:
        self._parts, self._files, self._options, self._dtype = parts, files, options, dtype
        self.whole = self.lost = self.others = self.kept = 0.0
        self.errors: list[LayerError] = []

    def layer(self, place: str) -> Layer | None:
        """The merged layer; None when every LoRA that has it is at strength 0."""
        used = [i for i, (p, f) in enumerate(zip(self._parts, self._files, strict=True))
                if place in f.places and p.strength_at(place, f.family)]  # fmt: skip
        if not used:
            return None
        pairs = [self._files[i].scaled(place, self._parts[i].strength_at(place, self._files[i].family)) for i in used]
        if self._options.protected in used and len(used) > 1:
            pairs = self._protected(pairs, used.index(self._options.protected))
        up, down = join_rows(pairs) if self._options.method == "sum" else self._combined(pairs)
        whole, tail = 0.0, 0.0
        if self._options.rank is not None or self._options.energy is not None:
            found = spectrum(up, down)
            rank = self._options.rank or rank_for_energy(found.values, self._options.energy or 1.0)
            rank = min(rank, len(found.values))
            whole, tail = found.energy(), found.tail(rank)
            up, down = found.cut(rank)
        else:
            whole = reported_squared_norm((up, down))
        new_up, new_down, rounding = stored(up, down, self._dtype)
        self.whole, self.lost = self.whole + whole, self.lost + tail + rounding
        first = self._files[used[0]]
        entry = first.places[place]
        relative = math.sqrt((tail + rounding) / whole) if whole > 0 else 0.0
        self.errors.append(LayerError(entry.layer, new_down.shape[0], relative))
        return shaped(new_up, new_down, kernel_of(first, entry))

    def _protected(self, pairs: Pairs, keep: int) -> Pairs:
        made: Pairs = []
        for i, (up, down) in enumerate(pairs):
            if i == keep:
                made.append((up, down))
                continue
            less = protect(down, *pairs[keep], self._options.protect_amount)
            self.others += squared_norm(up, down)
            self.kept += squared_norm(up, less)
            made.append((up, less))
        return made

    def _combined(self, pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
        """TIES or DARE of the full changes, as factors of somewhat more than the wanted rank."""
        import torch
        from peft.utils.merge_utils import dare_linear, ties

        full = [up @ down for up, down in pairs]
        ones = torch.ones(len(full))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._options.seed + len(self.errors))
            combine = ties if self._options.method == "ties" else dare_linear
            result = combine(full, ones, self._options.density)
            rank = min((self._options.rank or 1) + _EXTRA_DIRECTIONS, *result.shape)
            u, values, v = torch.svd_lowrank(result, q=rank, niter=2)
        left = (result - (u * values) @ v.T).double().square().sum()  # beyond these directions
        self.lost += float(left)
        self.whole += float(left)
        return u * values, v.T


def _problems(parts: Sequence[Part], out: Path) -> list[str]:
    problems = same_file_problems(out, [part.path for part in parts])
    if not parts:
        problems.append(say("lora.none_to_merge"))
    for part in parts:
        for value in (part.strength, part.text_strength):
            if value is not None and not (math.isfinite(value) and abs(value) <= 20):
                problems.append(say("lora.merge_strength", name=part.path.name, value=value))
    return problems


def _require_one_family(files: Sequence[LoraFile]) -> None:
    families = {file.family for file in files} - {"unknown"}
    if len(families) > 1:
        said = [say("balance.for_family", name=file.path.name, family=file.family) for file in files]
        raise BadInputError(say("lora.several_families", files=said))


def _require_sizes(files: Sequence[LoraFile], places: Sequence[str]) -> None:
    problems = []
    for place in places:
        having = [file for file in files if place in file.places]
        if len({(f.places[place].inputs, f.places[place].outputs) for f in having}) > 1:
            sizes = [f"'{f.path.name}' {f.places[place].outputs} x {f.places[place].inputs}" for f in having]
            problems.append(say("lora.layer_is", layer=having[0].places[place].layer, sizes=sizes))
    if len(problems) > 1:
        raise BadInputError(say("lora.sizes_differ_more", why=problems[0], more=len(problems) - 1))
    if problems:
        raise BadInputError(say("lora.sizes_differ", why=problems[0]))
