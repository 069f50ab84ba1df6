"""A stack onto MODEL and CLIP: read what is not yet read, join what can be joined, one clone of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..lora_train.errors import BadInputError
from ..lora_train.families.header import read_header, require_safetensors
from ..lora_train.lora.blocks import BlockFactors
from ..lora_train.lora.contents import content_ids
from ..lora_train.lora.keys import split_name
from ..lora_train.lora.kinds import family_of
from ..lora_train.lora.stack import StackItem, read_stack
from ..lora_train.say import say
from . import _host as host
from ._host import patches as host_patches
from ._host.patches import FilePatches, Part, Patches, Target, Targets
from ._patch_cache import PatchCache
from ._stack_blocks import block_of_weight, blocks_of_row
from ._types import StackRow
from ._ui import Report

MAX_CACHE_BYTES = 8 << 30

_cache: PatchCache[FilePatches] = PatchCache(lambda: min(MAX_CACHE_BYTES, host_patches.available_bytes() // 2))


@dataclass(frozen=True)
class Wanted:
    """One file at the strengths it is applied with."""

    name: str
    path: Path
    sha256: str
    blocks: BlockFactors
    model: float
    text: float

    @property
    def signature(self) -> str:
        return f"{self.sha256} {self.model!r} {self.text!r} {self.blocks.key}"


def apply_stack(model: Any, clip: Any, stack: Sequence[StackRow], strength: float) -> tuple[Any, Any, Report]:
    """MODEL and CLIP with every LoRA of the stack, and what was done; the originals are untouched.

    The result is that of one LoRA loader per row, in row order. Plain LoRAs are joined by their ranks into
    one patch per weight (see :func:`._host.patches.joined`); other kinds stay as they are, in row order.

    Raises:
        BadInputError: an entry is malformed, a file is missing, damaged or holds NaN, or fits no weight.
    """
    wanted = wanted_files(stack, strength)
    if not wanted:
        return model, clip, Report(say("node.no_lora_used"), say("node.empty_stack"))
    targets = host_patches.targets_of(model, clip)
    files = [_read(item, targets) for item in wanted]
    _cache.trim()
    _require_fit(wanted, files)
    rounds = _rounds([(file.patches, _strengths(item, targets)) for item, file in zip(wanted, files, strict=True)])
    signature = "\n".join(item.signature for item in wanted)
    new_model, _ = host_patches.with_patches(model, rounds, signature)
    new_clip, _ = host_patches.with_patches(clip, rounds, signature)
    for patcher in (new_model, new_clip):
        host_patches.note_metadata(patcher, files[-1].metadata)
    return new_model, new_clip, _report(wanted, files)


def wanted_files(stack: Sequence[StackRow], strength: float) -> list[Wanted]:
    """The files to apply; strength 0 is left out, and the same content twice is one at the sum of both.

    Raises:
        BadInputError: lists every malformed entry, or every missing file.
    """
    rows = list(stack or ())
    used: list[tuple[StackRow, StackItem, Path]] = []
    problems: list[str] = []
    for row, item in zip(rows, read_stack(rows), strict=True):
        if not item.is_off and strength:
            try:
                used.append((row, item, host.lora_path(item.name)))
            except BadInputError as error:
                problems.append(str(error))
    BadInputError.collect(problems)
    found: dict[tuple[str, str], Wanted] = {}
    for (row, item, path), sha256 in zip(used, content_ids([path for _, _, path in used]), strict=True):
        on_model, on_text = item.model_strength * strength, item.clip_strength * strength
        blocks = blocks_of_row(row)
        if known := found.get((sha256, blocks.key)):
            on_model, on_text = on_model + known.model, on_text + known.text
        found[sha256, blocks.key] = Wanted(item.name, path, sha256, blocks, on_model, on_text)
    return [item for item in found.values() if item.model or item.text]


def _read(item: Wanted, targets: Targets) -> FilePatches:
    def read() -> FilePatches:
        require_safetensors(item.path)
        try:
            found = host_patches.read_patches(item.path, targets)
        except Exception:
            read_header(item.path)  # damaged files are told in words; anything else goes on as it is
            raise
        host_patches.require_finite(item.path, found.patches)
        return found

    if not item.blocks.is_all:
        item.blocks.require(item.path.name, _family(item.path, item.sha256))
    return _cache.get((item.sha256, targets.fingerprint), read)


@lru_cache(maxsize=256)
def _family(path: Path, sha256: str) -> str:
    return family_of(read_header(path))


def _require_fit(wanted: Sequence[Wanted], files: Sequence[FilePatches]) -> None:
    BadInputError.collect(
        [
            say("node.no_key_fits", n=len(file.unused), name=item.path.name)
            for item, file in zip(wanted, files, strict=True)
            if not file.patches
        ]
    )


Strength = Callable[[Target], float]


def _strengths(item: Wanted, targets: Targets) -> Strength:
    """The strength of a file in each weight."""
    family = _family(item.path, item.sha256) if not item.blocks.is_all else ""

    def strength(target: Target) -> float:
        key = target if isinstance(target, str) else target[0]
        whole = item.model if key in targets.model_keys else item.text
        return whole * item.blocks.factor(block_of_weight(key), family) if family else whole

    return strength


def _rounds(rows: Sequence[tuple[Patches, Strength]]) -> list[tuple[float, dict[Target, Any]]]:
    """Patches to add one after the other, each group at one strength; row order is kept in every weight."""
    by_target: dict[Target, list[tuple[float, Any]]] = {}
    for patches, strength in rows:
        for target, patch in patches.items():
            if at := strength(target):
                by_target.setdefault(target, []).append((at, patch))
    groups: dict[tuple[int, float], dict[Target, Any]] = {}
    for target, found in by_target.items():
        for place, (at, patch) in enumerate(_joined_runs(found)):
            groups.setdefault((place, at), {})[target] = patch
    return [(at, patches) for (_, at), patches in sorted(groups.items(), key=lambda group: group[0])]


def _joined_runs(found: Sequence[tuple[float, Any]]) -> list[tuple[float, Any]]:
    """The same patches with every run of plain LoRAs joined into one; a single one stays what it is."""
    result: list[tuple[float, Any]] = []
    run: list[tuple[float, Any, Part]] = []

    def close() -> None:
        if len(run) == 1:
            result.append(run[0][:2])
        elif run:
            result.append((1.0, host_patches.joined([part for _, _, part in run])))
        run.clear()

    for at, patch in found:
        part = host_patches.plain_part(patch, at)
        if part is None:
            close()
            result.append((at, patch))
        else:
            run.append((at, patch, part))
    close()
    return result


def _report(wanted: Sequence[Wanted], files: Sequence[FilePatches]) -> Report:
    lines, partly = [], False
    for item, file in zip(wanted, files, strict=True):
        same = item.model == item.text
        strength = f"{item.model:g}" if same else say("node.two_strengths", model=item.model, text=item.text)
        line = f"{item.path.stem}: {strength}"
        if layers := {split_name(name)[0] for name in file.unused}:
            partly = True
            line = say("node.partly_fits", line=line, n=len(layers), layers=len(layers) + len(file.patches))
        lines.append(line)
    return Report(say("node.applied", n=len(wanted)), "\n".join(lines), "warn" if partly else "info")
