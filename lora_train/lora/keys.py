"""Names of LoRA tensors.

Lorasmith writes kohya's names, the one form that ComfyUI, A1111, Forge and diffusers all load:
``lora_unet_<diffusers path with underscores>.lora_down.weight``, ``.lora_up.weight``, ``.alpha``.
It reads the usual others too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

Part = Literal["unet", "text_encoder"]
PREFIXES: Mapping[Part, str] = {"unet": "lora_unet_", "text_encoder": "lora_te_"}

DOWN_ENDS = (".lora_down.weight", ".lora_A.weight", ".lora_A.default.weight", ".lora.down.weight",
             "_lora.down.weight", ".lora_linear_layer.down.weight", ".lora_A")  # fmt: skip
UP_ENDS = (".lora_up.weight", ".lora_B.weight", ".lora_B.default.weight", ".lora.up.weight",
           "_lora.up.weight", ".lora_linear_layer.up.weight", ".lora_B")  # fmt: skip
MID_END = ".lora_mid.weight"
ALPHA_END = ".alpha"
Role = Literal["down", "up", "mid", "alpha", "other"]


@dataclass(frozen=True)
class Factors:
    """One layer's LoRA: the layer's change is ``alpha / rank * up @ down``.

    ``down`` is (rank, in) or (rank, in, kh, kw); ``up`` is (out, rank) or (out, rank, 1, 1).
    """

    down: torch.Tensor
    up: torch.Tensor
    alpha: float

    @property
    def rank(self) -> int:
        return int(self.down.shape[0])

    @property
    def scale(self) -> float:
        """What ``up @ down`` is multiplied with before the strength."""
        return self.alpha / self.rank

    def delta(self) -> torch.Tensor:
        """The change of the layer's weight at strength 1, fp32, ``(out, in)`` or ``(out, in, kh, kw)``."""
        flat = self.up.float().flatten(1) @ self.down.float().flatten(1)
        out = flat.reshape(self.up.shape[0], *self.down.shape[1:])
        return out * self.scale


def kohya_name(module: str, part: Part = "unet") -> str:
    """``lora_unet_down_blocks_0_...`` for the diffusers module ``down_blocks.0....``."""
    return PREFIXES[part] + module.replace(".", "_")


def text_layer_name(module: str) -> str:
    """kohya's name of a CLIP layer: ``lora_te_text_model_...``; SDXL's two are ``te1.`` and ``te2.`` here."""
    head, dot, rest = module.partition(".")
    which, inner = (head, rest) if dot and head in ("te1", "te2") else ("te", module)
    return f"lora_{which}_text_model_{inner.removeprefix('text_model.').replace('.', '_')}"


def to_kohya(factors: Mapping[str, Factors], part: Part = "unet", dtype: Any = None) -> dict[str, torch.Tensor]:
    """Tensors of a LoRA file from ``{diffusers module name: factors}``, on the CPU, contiguous.

    ``1 x 1`` convolutions keep their four dimensions, as every loader expects.
    """
    import torch

    dtype = dtype or torch.float16
    tensors: dict[str, torch.Tensor] = {}
    for module, pair in sorted(factors.items()):
        name = kohya_name(module, part)
        tensors[f"{name}.lora_down.weight"] = pair.down.detach().to("cpu", dtype).contiguous()
        tensors[f"{name}.lora_up.weight"] = pair.up.detach().to("cpu", dtype).contiguous()
        tensors[f"{name}.alpha"] = torch.tensor(float(pair.alpha), dtype=torch.float32)
    return tensors


_ROLES: tuple[tuple[str, Role], ...] = (
    *((end, "down") for end in DOWN_ENDS),
    *((end, "up") for end in UP_ENDS),
    (MID_END, "mid"),
    (ALPHA_END, "alpha"),
)


@lru_cache(maxsize=65536)
def split_name(name: str) -> tuple[str, Role]:
    """``(layer name, role)`` of one tensor of a LoRA file."""
    for end, role in _ROLES:
        if name.endswith(end):
            return name[: -len(end)], role
    return name, "other"


def aliases(modules: Iterable[str], part: Part, file_names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Every layer name a LoRA file may use -> the module it means.

    Args:
        modules: dotted module names of the model in memory.
        part: which model they belong to.
        file_names: module -> its name in the one-file checkpoint, for LoRAs in those names.
    """
    known: dict[str, str] = {}
    for module in modules:
        plain = module.removeprefix("text_model.")
        names = [kohya_name(module, part), f"lycoris_{module.replace('.', '_')}", f"{part}.{module}"]
        if part == "text_encoder":
            full = f"text_model.{plain}"
            names += [kohya_name(full, part), f"lora_te1_{full.replace('.', '_')}", f"{part}.{full}"]
            if module.startswith(("te1.", "te2.")):  # SDXL's two, in one module
                inner = module[4:].removeprefix("text_model.")
                names = [f"lora_{module[:3]}_text_model_{inner.replace('.', '_')}"]
        else:
            names += [module, f"base_model.model.{module}", f"transformer.{module}", *_processor_names(module)]
        if file_names and module in file_names:
            native = file_names[module]
            names += [f"lora_unet_{native.replace('.', '_')}", f"diffusion_model.{native}"]
        known.update(dict.fromkeys(names, module))
    return known


def _processor_names(module: str) -> list[str]:
    """Old diffusers names: ``...attn1.processor.to_q`` with ``to_out.0`` shortened to ``to_out``."""
    block, _, leaf = module.removesuffix(".0").rpartition(".")
    if not block.endswith(("attn1", "attn2")):
        return []
    return [f"unet.{block}.processor.{leaf}", f"{block}.processor.{leaf}"]
