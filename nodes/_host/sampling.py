"""Pictures through ComfyUI's own sampler, and marks that tell models apart by what is in them."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .running import check_cancelled

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

_PLACES = 64
"""Numbers looked at in each tensor: enough to see a training step, which moves them all."""
_marks: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Sampling:
    """How pictures are sampled, in the words of ComfyUI's KSampler."""

    steps: int = 20
    cfg: float = 7.0
    sampler: str = "euler"
    scheduler: str = "normal"


def sampler_names() -> list[str]:
    """ComfyUI's samplers, as its KSampler lists them."""
    import comfy.samplers

    return list(comfy.samplers.KSampler.SAMPLERS)


def scheduler_names() -> list[str]:
    """ComfyUI's schedulers, as its KSampler lists them."""
    import comfy.samplers

    return list(comfy.samplers.KSampler.SCHEDULERS)


def conditioning(clip: Any, text: str) -> Any:
    """What ComfyUI's CLIP Text Encode gives for ``text``."""
    return clip.encode_from_tokens_scheduled(clip.tokenize(text))


def sample_picture(
    model: Any, vae: Any, positive: Any, negative: Any, seed: int, size_px: tuple[int, int],
    how: Sampling, on_step: Callable[[int], None] = lambda step: None,
) -> Image:  # fmt: skip
    """One picture: Empty Latent Image, KSampler and VAE Decode in one call, with the same numbers.

    Args:
        size_px: width and height, multiples of 8.
        on_step: called with the number of steps done.

    Raises:
        InterruptProcessingException: the user pressed cancel (ComfyUI's own, no ``Exception``).
    """
    import comfy.sample

    from .pixels import pictures_of

    def step(done: int, *_: Any) -> None:
        check_cancelled()
        on_step(done + 1)

    latent = _empty_latent(model, *size_px)
    samples = comfy.sample.sample(
        model, comfy.sample.prepare_noise(latent, seed), how.steps, how.cfg, how.sampler, how.scheduler,
        positive, negative, latent, callback=step, disable_pbar=True, seed=seed,
    )  # fmt: skip
    images = vae.decode(samples)
    return pictures_of(images.reshape(-1, *images.shape[-3:]))[0]  # video VAEs count frames


def _empty_latent(model: Any, width_px: int, height_px: int) -> torch.Tensor:
    import comfy.model_management as management
    import comfy.sample
    import torch

    latent = torch.zeros(
        (1, 4, height_px // 8, width_px // 8), device=management.intermediate_device(),
        dtype=management.intermediate_dtype(),
    )  # fmt: skip
    return comfy.sample.fix_empty_latent_channels(model, latent, 8)


def model_mark(part: Any) -> str | None:
    """A text that is the same for the same MODEL, CLIP or VAE, also after a restart; None where that cannot be told.

    Names, shapes and a few numbers of every tensor, and of every patch. Functions that were put into a
    model (another guidance, another attention) have no content that could be compared.
    """
    patcher = getattr(part, "patcher", part)
    if _has_functions(patcher):
        return None
    digest = hashlib.sha256(_weights_mark(patcher).encode())
    digest.update(repr(sorted((name, repr(value)) for name, value in patcher.object_patches.items())).encode())
    digest.update(repr(getattr(part, "layer_idx", None)).encode())  # CLIP Set Last Layer
    for target, patches in sorted(patcher.patches.items(), key=lambda item: str(item[0])):
        digest.update(str(target).encode())
        for strength, patch, strength_model, *_ in patches:
            digest.update(f"{strength!r} {strength_model!r}".encode())
            for value in _tensors(getattr(patch, "weights", patch)):
                digest.update(_glance(value))
    return digest.hexdigest()


def _has_functions(patcher: Any) -> bool:
    options = dict(patcher.model_options)
    transformer = options.pop("transformer_options", {})
    functions = [value for value in (*options.values(), *transformer.values()) if value]
    others = [value for value in patcher.object_patches.values() if not _is_plain(value)]
    return bool(functions or others or patcher.weight_wrapper_patches)


def _is_plain(value: Any) -> bool:
    import torch

    return value is None or isinstance(value, bool | int | float | str | torch.dtype)


def _weights_mark(patcher: Any) -> str:
    """Of the weights without any patch; remembered as long as the model is in memory."""
    model = patcher.model
    if model not in _marks:
        digest = hashlib.sha256()
        for name, value in model.state_dict().items():
            kept = patcher.backup.get(name)  # what a loaded LoRA has changed in place
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            digest.update(_glance(value if kept is None else kept.weight))
        _marks[model] = digest.hexdigest()
    return _marks[model]


def _glance(value: torch.Tensor) -> bytes:
    import torch

    flat = value.detach().reshape(-1)
    stride = max(1, flat.numel() // _PLACES)
    some = flat[::stride][: _PLACES + 1].cpu()
    return f"{tuple(value.shape)}".encode() + some.contiguous().view(torch.uint8).numpy().tobytes()


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _tensors(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _tensors(torch.tensor(inner) if isinstance(inner, float | int) else inner)
