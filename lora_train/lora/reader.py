"""A LoRA file opened layer by layer: the header says what is there, factors are read when asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInputError, UnsupportedModelError
from ..families.header import Header, read_header
from ..say import say
from .keys import Factors, split_name
from .kinds import AdapterKind, FileForm, family_of, form_of, kind_of_tensor, kinds_of
from .places import fused_rows, place_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Entry:
    """Where the factors of one layer lie in the file, and their sizes.

    ``rows`` are the rows of ``up`` that belong to this place when the file's layer is a fused one.
    """

    layer: str
    down: str
    up: str
    mid: str | None
    alpha: str | None
    rank: int
    inputs: int
    """Columns of the flattened change: ``in`` or ``in * kh * kw``."""
    outputs: int
    rows: tuple[int, int] | None = None


@dataclass(frozen=True)
class LoraFile:
    """An open LoRA. ``layers`` is by the file's own names, ``places`` by those of the model's weights."""

    path: Path
    header: Header
    family: str
    form: FileForm
    kinds: Mapping[AdapterKind, int]
    layers: Mapping[str, Entry]
    places: Mapping[str, Entry]
    _tensors: Any

    @property
    def dtype(self) -> Any:
        """The type that most of the file's factors have."""
        import torch

        names = {"F16": torch.float16, "BF16": torch.bfloat16}
        kinds = [self.header.tensors[entry.up].dtype for entry in self.layers.values()]
        return names.get(max(set(kinds), key=kinds.count), torch.float32)

    def factors(self, entry: Entry) -> Factors:
        """The factors of one layer as they are stored; a Tucker core is multiplied into ``down``.

        Raises:
            BadInputError: the values hold NaN or infinity.
        """
        down, up = self._tensors.get_tensor(entry.down), self._tensors.get_tensor(entry.up)
        if entry.mid:
            down = fold_middle(down, self._tensors.get_tensor(entry.mid))
        if entry.rows:
            up = up[slice(*entry.rows)]
        alpha = float(self._tensors.get_tensor(entry.alpha)) if entry.alpha else float(entry.rank)
        return Factors(down, up, alpha)

    def scaled(self, place: str, strength: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """``(up, down)`` of a place in fp32, flattened to ``(out, r)`` and ``(r, in)``; ``up`` carries the scale.

        Raises:
            BadInputError: the values hold NaN or infinity.
        """
        entry = self.places[place]
        pair = self.factors(entry)
        up = pair.up.float().flatten(1) * (pair.scale * strength)
        down = pair.down.float().flatten(1)
        if not (up.isfinite().all() and down.isfinite().all()):
            raise not_finite(self.path, entry.layer)
        return up, down


@contextmanager
def open_lora(path: Path, *, partly: bool = False) -> Iterator[LoraFile]:
    """Open a LoRA of plain low-rank pairs.

    Args:
        partly: also open files that hold other kinds of layers, which are then left out (see ``kinds``);
            of a DoRA, its low-rank pairs are there without their magnitudes.

    Raises:
        UnsupportedModelError: no safetensors file, cut off, no LoRA, or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    header = header_of(Path(path))
    layers = read_layers(header, partly=partly)
    family = family_of(header)
    try:
        with safe_open(str(path), framework="pt") as tensors:
            places = places_of(Path(path), layers, family)
            yield LoraFile(Path(path), header, family, form_of(header), kinds_of(header), layers, places, tensors)
    except SafetensorError as error:
        raise UnsupportedModelError(say("lora.damaged", name=Path(path).name, why=error)) from error


def header_of(path: Path) -> Header:
    """The checked header of a LoRA file; the last few are kept, by path, size and date.

    Raises:
        UnsupportedModelError: there is no such file, it is no safetensors file, or it is cut off.
    """
    if not path.is_file():
        return read_header(path)
    state = path.stat()
    return _kept_header(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=32)
def _kept_header(path: Path, size_bytes: int, changed_ns: int) -> Header:
    return read_header(path)


def read_layers(header: Header, *, partly: bool = False) -> dict[str, Entry]:
    """The low-rank layers of a file by its own names, checked for completeness and fitting sizes.

    Raises:
        UnsupportedModelError: something is missing or does not fit, or the file is of another kind.
    """
    grouped: dict[str, dict[str, str]] = {}
    others: list[str] = []
    for name in header.tensors:
        layer, role = split_name(name)
        if role == "other":
            others.append(name)
        else:
            grouped.setdefault(layer, {})[role] = name
    if others and partly:  # the alpha of a LoHa is no layer of a LoRA
        grouped = {layer: parts for layer, parts in grouped.items() if parts.keys() & {"down", "up"}}
    elif others or not grouped:
        raise other_kind(header.path, others)
    return {layer: _entry(header, layer, parts) for layer, parts in grouped.items()}


def _entry(header: Header, layer: str, parts: Mapping[str, str]) -> Entry:
    name = header.path.name
    if "down" not in parts or "up" not in parts:
        missing = "lora_down" if "down" not in parts else "lora_up"
        raise UnsupportedModelError(say("lora.incomplete", name=name, layer=layer, missing=missing))
    down, up = header.shape(parts["down"]), header.shape(parts["up"])
    middle = header.shape(parts["mid"]) if "mid" in parts else ()
    if not _fit(down, up, middle):
        raise UnsupportedModelError(say("lora.factors_misfit", name=name, layer=layer, up=up, down=down))
    if 0 in up or 0 in down:
        raise UnsupportedModelError(say("lora.factors_empty", name=name, layer=layer, up=up, down=down))
    inputs = math.prod((*down[1:], *middle[2:]))
    return Entry(layer, parts["down"], parts["up"], parts.get("mid"), parts.get("alpha"), up[1], inputs, up[0])


def _fit(down: tuple[int, ...], up: tuple[int, ...], middle: tuple[int, ...]) -> bool:
    """True when the sizes make a product; ``middle`` is ``()`` where there is no Tucker core."""
    if not 2 <= len(down) <= 5 or len(up) < 2 or any(n != 1 for n in up[2:]):
        return False
    return (len(middle) == 4 and middle[:2] == (up[1], down[0])) if middle else up[1] == down[0]


def places_of(path: Path, layers: Mapping[str, Entry], family: str) -> dict[str, Entry]:
    """The same entries by place; a fused layer becomes its pieces.

    Raises:
        UnsupportedModelError: two layers of the file mean the same weight.
    """
    places: dict[str, Entry] = {}
    for layer, entry in layers.items():
        place = place_of(layer, family)
        pieces = fused_rows(place, entry.outputs) if family == "flux" else ()
        for name, first, last in pieces or ((place, 0, entry.outputs),):
            if name in places:
                raise UnsupportedModelError(
                    say("lora.one_weight_twice", name=path.name, first=places[name].layer, second=layer)
                )
            places[name] = replace(entry, rows=(first, last), outputs=last - first) if pieces else entry
    return places


def fold_middle(down: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
    """``(r, in, kh, kw)`` of a Tucker convolution: core ``(r, r', kh, kw)`` times ``down`` ``(r', in, 1, 1)``.

    LyCORIS ``functional/general.py`` ``rebuild_tucker``; ComfyUI ``weight_adapter/lora.py``.
    """
    import torch

    return torch.einsum("ijkl,jm->imkl", middle.float(), down.float().flatten(1))


def other_kind(path: Path, others: list[str]) -> UnsupportedModelError:
    """Why a file that is no plain LoRA cannot be used, in one sentence."""
    kinds = {kind_of_tensor(name) for name in others}
    for kind in ("loha", "lokr", "dora", "oft", "glora", "ia3", "diff"):
        if kind in kinds:
            return UnsupportedModelError(say("lora.no_plain_lora", name=path.name, kind=say(f"lora.a_{kind}")))
    name = (others or ["nothing"])[0]
    return UnsupportedModelError(say("lora.not_ours", name=path.name, tensor=name[:80]))


def not_finite(path: Path, layer: str) -> BadInputError:
    """The error for NaN or infinity in a file."""
    return BadInputError(say("lora.nan", name=path.name, layer=layer))
