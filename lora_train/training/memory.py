"""Which device and number format to train with, and what to try when memory runs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Rung:
    """One way to run a step, from fast to frugal."""

    name: str
    checkpointing: bool = False
    """Recompute activations in the backward pass: about half the memory, 1.5 x the time."""
    split: bool = False
    """One picture at a time, gradients added up: the same step, less memory."""
    share: float = 1.0
    """Of the blocks that are recomputed, 0 to 1."""


LADDER: tuple[Rung, ...] = (
    Rung("planned"),
    Rung("half", checkpointing=True, share=0.5),
    Rung("all", checkpointing=True),
    Rung("single", checkpointing=True, split=True),
)


def pick_device() -> str:
    """``cuda``, ``mps`` or ``cpu``: the fastest that is there."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def pick_dtype(device: str, precision: Precision = "auto") -> Any:
    """The torch dtype to compute in. ``auto`` is bf16 where the device does it in hardware."""
    import torch

    if precision == "auto":
        precision = "bf16" if _has_fast_bf16(device) else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _has_fast_bf16(device: str) -> bool:
    import torch

    if device == "cuda":
        return torch.cuda.get_device_capability()[0] >= 8  # Ampere and newer
    if device != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def is_out_of_memory(error: BaseException) -> bool:
    """True for the errors that CUDA, MPS and the CPU allocator raise when memory runs out."""
    return (
        "OutOfMemory" in type(error).__name__
        or "out of memory" in str(error).lower()
        or "allocate memory" in str(error)  # the CPU's allocator, and mmap
    )


def free_cached(device: str) -> None:
    """Give cached accelerator memory back."""
    import gc

    import torch

    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
