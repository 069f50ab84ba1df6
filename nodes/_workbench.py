"""What the nodes about LoRA files do: from names in ComfyUI's lists to the core and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lora_train.say import say
from . import _host as host
from ._stack_blocks import blocks_of_row, stack_row
from ._types import StackRow
from ._ui import Report, Tone

if TYPE_CHECKING:
    from PIL.Image import Image

NO_BASE = "None"
_TONES: dict[str, Tone] = {"fits": "good", "overlapping": "warn", "too loud": "warn"}


@dataclass(frozen=True)
class Made:
    """A new LoRA: its name in ComfyUI's lists, and what was done."""

    name: str
    report: Report

    @property
    def stack(self) -> list[StackRow]:
        """The new LoRA at strength 1."""
        return [(self.name, 1.0, 1.0)]


def merge_stack(stack: Sequence[StackRow], name: str, rank: int, method: str, precision: str) -> Made:
    """One file from a stack; rank 0 is the exact sum."""
    from ..lora_train.lora.merge import Options, Part, merge

    parts = [Part(host.lora_path(r[0]), r[1], r[2], blocks_of_row(r)) for r in stack if r[1] or r[2]]
    options = Options(rank=rank or None, method=method, dtype=_dtype(precision))  # type: ignore[arg-type]
    found = merge(parts, host.new_lora_path(name), options, host.HostObserver())
    size = say("node.rank_size", rank=found.rank, megabytes=found.bytes / 1e6)
    lines = [size, say("node.merge_error", error=found.relative_error)]
    return _made(found.path, say("node.merged", n=len(parts)), lines, found.to_json())


def resize_lora(lora: str, name: str, by: str, rank: int, energy: float, size_mb: float, precision: str) -> Made:
    """A smaller file of one LoRA."""
    from ..lora_train.lora.resize import Target, resize

    target = {"rank": Target(rank=rank), "energy": Target(energy=energy), "size": Target(bytes=int(size_mb * 1e6))}[by]
    files = host.lora_path(lora), host.new_lora_path(name)
    found = resize(*files, target, dtype=_dtype(precision), observer=host.HostObserver())
    ranks = {"before": found.rank_before, "after": found.rank_after}
    sizes = {"mb_before": found.bytes_before / 1e6, "mb_after": found.bytes_after / 1e6}
    title = say("node.resized", **ranks, **sizes)
    lines = [say("node.energy_kept", share=found.energy_kept, error=found.relative_error)]
    return _made(found.path, title, lines, found.to_json())


def convert_lora(lora: str, name: str, form: str) -> Made:
    """The same LoRA under other layer names."""
    from ..lora_train.lora.convert import convert

    found = convert(host.lora_path(lora), host.new_lora_path(name), form, host.HostObserver())  # type: ignore[arg-type]
    said = {"layers": found.layers, "family": found.family, "error": found.relative_error}
    lines = [say("node.converted", **said), found.note]
    return _made(found.path, f"{found.form_before} → {found.form}", lines, found.to_json())


def extract_lora(base: str, tuned: str, name: str, rank: int, text_encoder: bool) -> Made:
    """A LoRA from two checkpoints."""
    from ..lora_train.lora.extract import extract

    files = host.checkpoint_path(base), host.checkpoint_path(tuned), host.new_lora_path(name)
    found = extract(*files, rank=rank, text_encoder=text_encoder, observer=host.HostObserver())
    lines = [
        say("node.layers_differ", n=len(found.layers), same=found.unchanged, left_out=found.left_out),
        say("node.error_size", error=found.relative_error, megabytes=found.bytes / 1e6),
    ]
    return _made(found.path, say("node.rank_holds", rank=rank, share=found.energy_kept), lines, found.to_json())


def describe_lora(lora: str, hashes: bool) -> tuple[str, Report]:
    """Trigger words, and everything there is to know of a file."""
    from ..lora_train.lora.inspect import inspect

    info = inspect(host.lora_path(lora), hashes=hashes)
    report = Report(info.kind_words(), "\n".join([info.facts(), *info.lines()]), "info", info.to_json())
    return ", ".join(info.trigger_words), report


def check_stack(
    stack: Sequence[StackRow], checkpoint: str, lock_first: bool
) -> tuple[list[StackRow], str, Report, Image]:
    """The stack at suggested strengths, the verdict, the report and the heat map."""
    from ..lora_train.lora.balance import check
    from ..lora_train.lora.suggest import fitted
    from ..lora_train.lora.verdict import stack_verdict_words
    from ..lora_train.report.heat import heat_map
    from ..lora_train.report.paper import DARK

    rows = [row for row in stack if row[1] or row[2]]
    base = None if checkpoint == NO_BASE else host.checkpoint_path(checkpoint)
    found = check(
        [host.lora_path(file) for file, _, _ in rows],
        [model for _, model, _ in rows],
        base,
        text_strengths=[text for _, _, text in rows],
        locked=[0] if lock_first and rows else [],
        choices=[blocks_of_row(row) for row in rows],
        observer=host.HostObserver(),
    )
    balanced = [
        stack_row(row[0], fitted(row[1], factor), fitted(row[2], factor), blocks_of_row(row))
        for row, factor in zip(rows, found.cap.factors.tolist(), strict=True)
    ]
    lines = list(found.sentences) or [say("node.nothing_against")]
    title = say("balance.verdict", name=stack_verdict_words(found.verdict))
    report = Report(title, "\n".join(lines), _TONES.get(found.verdict, "bad"), found.to_json())
    return balanced, found.verdict, report, heat_map(found, theme=DARK)


def _made(path: Path, title: str, lines: Sequence[str], details: dict[str, Any]) -> Made:
    name = host.lora_name_of(path)
    return Made(name, Report(title, "\n".join([*lines, say("node.saved_as", name=name)]), "good", details))


def _dtype(precision: str) -> Any:
    import torch

    return {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}.get(precision)
