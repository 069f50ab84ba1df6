"""Families whose denoiser is one of diffusers' transformers: found by its header, loaded by its table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import ALL_PARTS, Base, Part
from .header import Header, read_header
from .loading import explained, read_prefixed
from .rename import Rule, single_names, to_library
from .traits import Traits, dotted_layers

if TYPE_CHECKING:
    import torch

PREFIXES = ("model.diffusion_model.", "diffusion_model.", "")
_OTHER_PARTS = ("first_stage_model.", "text_encoders.", "vae.", "conditioner.", "cond_stage_model.")
_QUANTISED = (".scale_weight", "scaled_fp8", ".weight_scale", ".quant_state", ".comfy_quant", ".absmax", ".qweight")
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Shapes:
    """Names and shapes of the denoiser's tensors, without the prefix that the file gives them."""

    prefix: str
    all: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, header: Header) -> Shapes:
        prefix = next(p for p in PREFIXES if not p or header.has_prefix(p))
        found = {n.removeprefix(prefix): t.shape for n, t in header.tensors.items() if n.startswith(prefix)}
        return cls(prefix, {n: s for n, s in found.items() if prefix or not n.startswith(_OTHER_PARTS)})

    def __contains__(self, name: str) -> bool:
        return name in self.all

    def __getitem__(self, name: str) -> tuple[int, ...]:
        return self.all[name]

    def count(self, start: str) -> int:
        """How many numbered blocks there are under ``start`` (which ends in a dot)."""
        numbers = {n[len(start) :].partition(".")[0] for n in self.all if n.startswith(start)}
        return len([n for n in numbers if n.isdigit()])

    def numbers(self, pattern: str) -> tuple[int, ...]:
        """The block numbers of the names that match ``pattern``, whose first group they are."""
        found = {int(m.group(1)) for m in (re.fullmatch(pattern, n) for n in self.all) if m}
        return tuple(sorted(found))

    def norm(self, name: str) -> int:
        """Width of a normalisation that some files call ``.scale`` and others ``.weight``."""
        return (self.all.get(f"{name}.scale") or self.all[f"{name}.weight"])[0]


@dataclass(frozen=True)
class TransformerFamily:
    """One transformer family, described by data and two functions."""

    id: str
    title: str
    model_class: str
    """Its class in diffusers."""
    marks: tuple[str, ...]
    """Tensors that every file of the family has."""
    config: Callable[[Shapes], Config]
    """Keyword arguments of the class; KeyError, IndexError or ValueError when the shapes do not fit."""
    target_modules: str
    traits: Traits
    rules: tuple[Rule, ...] = ()
    never: tuple[str, ...] = ()
    """Tensors that only a different model has."""
    preset: str = ""
    resolution_px: int = 1024
    latent_channels: int = 16
    latent_factor: int = 8
    unused: tuple[str, ...] = ()
    """Tensors that files bring and the model does not read."""
    fits: Callable[[Config], bool] = field(default=lambda config: True)

    def detect(self, header: Header) -> bool:
        return self.config_of(header) is not None

    def config_of(self, header: Header) -> Config | None:
        """Keyword arguments of the model in ``header``; None when it is of another family or quantised."""
        shapes = Shapes.of(header)
        if any(mark not in shapes for mark in self.marks) or any(name in shapes for name in self.never):
            return None
        if is_quantised(header):
            return None
        try:
            config = self.config(shapes)
        except (KeyError, IndexError, ValueError):
            return None
        return config if self.fits(config) else None

    def load(self, path: Path, device: str = "cpu", dtype: Any = None, parts: Sequence[Part] = ALL_PARTS) -> Base:
        """Load the transformer; the file's VAE and text encoders stay with the host, which encodes."""
        import torch

        header = read_header(path)
        with explained(path, self.title):
            config = self.config_of(header)
            if config is None:
                raise KeyError(self.marks[0])
            model = None
            if "unet" in parts:
                dtype = dtype or torch.float32
                tensors = read_prefixed(path, Shapes.of(header).prefix, device, dtype)
                model = self.build(tensors, config, device, dtype)
        embedded = bool(config.get("guidance_embeds"))
        return Base(
            path=Path(path),
            family=self.id,
            unet=model,
            vae=None,
            text_encoder=None,
            resolution_px=self.resolution_px,
            latent_factor=self.latent_factor,
            latent_channels=self.latent_channels,
            traits=replace(self.traits, embedded_guidance=embedded, file_names=self.file_names),
        )

    def build(self, tensors: Mapping[str, torch.Tensor], config: Config, device: str, dtype: Any) -> Any:
        """The model with these weights (names without prefix), in eval mode, without gradients."""
        model = self.empty(config)
        wanted = model.state_dict()
        weights = to_library(
            {n: v for n, v in tensors.items() if not n.startswith((*_OTHER_PARTS, *self.unused))},
            self.rules,
            lambda name: wanted[name].shape[0],
        )
        model.load_state_dict({n: v.to(dtype) for n, v in weights.items()}, assign=True)
        return model.to(device).eval().requires_grad_(False)

    def empty(self, config: Config) -> Any:
        """The model without memory for its weights; what no file holds is there."""
        import diffusers
        from accelerate import init_empty_weights

        with init_empty_weights(include_buffers=False):
            return getattr(diffusers, self.model_class)(**config)

    def file_names(self, model: Any) -> dict[str, str]:
        """Modules of ``model`` -> their names in the file, where those correspond one to one."""
        modules = {name.rpartition(".")[0] for name in model.state_dict() if ".lora_" not in name}
        return single_names(sorted(m.removesuffix(".base_layer") for m in modules), self.rules)


def is_quantised(header: Header) -> bool:
    """True for weights that only mean something together with scales: those cannot be trained on here."""
    packed = any(info.dtype in ("U8", "I8") for info in header.tensors.values())
    return packed or any(name.endswith(_QUANTISED) for name in header.tensors)


def flow_traits(call: Any, objective: Any, base_version: str, architecture: str, **more: Any) -> Traits:
    """Traits of a transformer whose LoRAs carry diffusers' names."""
    layers: Callable[[Iterable[str]], Mapping[str, tuple[str, ...]]] = more.pop("lora_layers", dotted_layers)
    return Traits(
        objective=objective,
        call=call,
        lora_layers=layers,
        base_version=base_version,
        architecture=architecture,
        text_tokens=None,
        encoded_by="host",
        **more,
    )


def packed(latents: torch.Tensor) -> torch.Tensor:
    """Latents (n, c, h, w) as tokens (n, h w / 4, 4 c), 2 x 2 pixels each."""
    n, c, h, w = latents.shape
    cells = latents.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return cells.reshape(n, h * w // 4, c * 4)


def unpacked(tokens: torch.Tensor, h: int, w: int) -> torch.Tensor:
    """The latents (n, c, h, w) of :func:`packed`."""
    n, _, width = tokens.shape
    cells = tokens.view(n, h // 2, w // 2, width // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return cells.reshape(n, width // 4, h, w)


def grid(h: int, w: int, dimensions: int, device: Any) -> torch.Tensor:
    """Positions (h w, dimensions) of picture tokens: row in dimension 1, column in 2, the others 0."""
    import torch

    ids = torch.zeros(h, w, dimensions, device=device)
    ids[..., 1] = torch.arange(h, device=device)[:, None]
    ids[..., 2] = torch.arange(w, device=device)[None]
    return ids.view(h * w, dimensions)
