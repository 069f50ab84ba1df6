"""Text to image with a base model and LoRAs: the same words and seed give the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from ..errors import BadInputError
from ..families import registry
from ..families.base import Base
from ..families.conditions import Conditions
from ..families.traits import ask
from ..lora.apply import Weighted, applied, layers_of
from ..lora.file import Lora, read_lora
from ..lora.naming import by_module
from ..observer import NullObserver, Observer
from ..say import say
from .encode import base_mark
from .memory import Precision, pick_device, pick_dtype
from .samplers import SamplerName, sampling

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

BATCH = 8
LoraArgument = Union[Path, str, Sequence[tuple[Union[Path, str], float]], None]  # noqa: UP007


@dataclass(frozen=True)
class Request:
    """Texts, seeds and the numbers that shape the pictures."""

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    width_px: int
    height_px: int
    steps: int = 20
    guidance: float = 4.0
    negative: str = ""
    sampler: SamplerName = "dpmpp_2m"


def generate(
    base_path: Path,
    prompts: Sequence[str],
    *,
    seeds: Sequence[int],
    lora: LoraArgument = None,
    strength: float = 1.0,
    steps: int = 20,
    guidance: float = 4.0,
    width_px: int | None = None,
    height_px: int | None = None,
    negative: str = "",
    sampler: SamplerName = "dpmpp_2m",
    precision: Precision = "auto",
    device: str | None = None,
    observer: Observer | None = None,
) -> list[Image]:
    """One RGB picture per (prompt, seed) pair.

    Args:
        base_path: a one-file checkpoint; the last one used stays in memory.
        lora: a LoRA file at ``strength``, or several as ``[(file, strength), ...]``.
        guidance: 1 switches classifier-free guidance off.
        width_px: multiple of 8; the family's own size when None.

    Raises:
        BadInputError: lists every wrong number; or the checkpoint or a LoRA cannot be used.
    """
    observer = observer or NullObserver()
    device = device or pick_device()
    base_path = Path(base_path)
    side = registry.detect(base_path).resolution_px
    request = Request(
        tuple(prompts), tuple(seeds), width_px or side, height_px or side, steps, guidance, negative, sampler
    )
    BadInputError.collect(problems(request))
    weighted = [Weighted(read_lora(Path(file)), weight, weight) for file, weight in _loras(lora, strength)]
    base = cached_base(base_path, device, pick_dtype(device, precision))
    weighted = [replace(item, lora=for_modules(item.lora, base)) for item in weighted]
    with applied(weighted, unet=base.unet, text_encoder=base.text_encoder, file_names=base.file_names()):
        return sample(base, request, observer)


def for_modules(lora: Lora, base: Base) -> Lora:
    """``lora`` with layers that cover several modules of ``base`` taken apart."""
    widths = {name: module.weight.shape[0] for name, module in layers_of(base.unet).items()}
    return replace(lora, layers=by_module(lora.layers, widths, base.traits))


def problems(request: Request) -> list[str]:
    """Everything wrong with a request, one sentence each."""
    found = []
    if not request.prompts:
        found.append(say("training.no_prompt"))
    if len(request.prompts) != len(request.seeds):
        found.append(say("training.prompts_seeds", prompts=len(request.prompts), seeds=len(request.seeds)))
    for name, value in (("width", request.width_px), ("height", request.height_px)):
        if value % 8 or not 32 <= value <= 4096:
            found.append(say("training.side_range", name=name, value=value))
    if not 1 <= request.steps <= 1000:
        found.append(say("training.sampling_steps", n=request.steps))
    if not 0 <= request.guidance <= 100:
        found.append(say("training.guidance_range", value=request.guidance))
    return found


def sample(
    base: Base,
    request: Request,
    observer: Observer | None = None,
    known: Mapping[str, Conditions] | None = None,
) -> list[Image]:
    """Pictures of ``request`` with the model as it is now, eight at a time.

    ``known`` is one row for each prompt and for the negative; without it they are made here.
    """
    observer = observer or NullObserver()
    pictures: list[Image] = []
    if known is None:
        texts = sorted({*request.prompts, request.negative})
        told = base.embed_texts(texts)
        known = {text: told.rows([number]) for number, text in enumerate(texts)}
    rounds = range(0, len(request.prompts), BATCH)
    total = request.steps * len(rounds)
    for number, start in enumerate(rounds):
        rows = slice(start, start + BATCH)
        told = Conditions.join([known[prompt] for prompt in request.prompts[rows]])
        noise = start_noise(request, request.seeds[rows], base)
        done = number * request.steps
        latents = denoise(base, noise, told, known[request.negative], request, observer, done, total)
        pictures += decode(base, latents)
    return pictures


def start_noise(request: Request, seeds: Sequence[int], base: Base) -> torch.Tensor:
    """Unit noise (n, c, h, w), drawn on the CPU from each picture's own seed."""
    import torch

    factor = base.latent_factor
    shape = (base.latent_channels, request.height_px // factor, request.width_px // factor)
    draws = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(draws)


def denoise(
    base: Base,
    noise: torch.Tensor,
    told: Conditions,
    negative: Conditions,
    request: Request,
    observer: Observer,
    done: int = 0,
    total: int = 0,
) -> torch.Tensor:
    """Latents (n, c, h, w) from unit noise, with classifier-free guidance (Ho and Salimans 2022).

    Models that read a guidance scale get it instead, and no negative prompt.
    """
    import torch

    device = next(base.unet.parameters()).device
    steps = sampling(base, request, noise.shape[-2:], device)
    x = noise.to(device) * steps.first_size
    embedded = base.traits.embedded_guidance
    guided = request.guidance != 1.0 and not embedded
    words = Conditions.join([*([negative.repeat(len(x))] if guided else []), told]).to(device)
    with torch.no_grad():
        for number, t in enumerate(steps.times, start=1):
            observer.check_cancelled()
            scaled = steps.scale(x, t)
            asked = torch.cat([scaled, scaled]) if guided else scaled
            answer = predict_noise(base, asked, t, words, request.guidance if embedded else 1.0)
            if guided:
                without, with_text = answer.chunk(2)
                answer = without + request.guidance * (with_text - without)
            x = steps.step(answer, t, x)
            observer.progress(done + number, total or request.steps)
    return x


def predict_noise(
    base: Base, latents: torch.Tensor, t: torch.Tensor, told: Conditions, guidance: float = 1.0
) -> torch.Tensor:
    """The denoiser's output in fp32, computed in the format of its weights."""
    import torch

    first = next(base.unet.parameters())
    half = first.dtype != torch.float32
    words = told.to(latents.device, first.dtype)
    with torch.autocast(first.device.type, dtype=first.dtype if half else torch.bfloat16, enabled=half):
        return ask(base.unet, base.traits, latents.to(first.dtype), t.expand(len(latents)), words, guidance).float()


def decode(base: Base, latents: torch.Tensor) -> list[Image]:
    """Pictures from latents (n, 4, h, w)."""
    import torch
    from PIL import Image

    vae = base.require_vae()
    pictures = []
    with torch.no_grad():
        for latent in latents:
            pixels = vae.decode(latent[None])[0].clamp(-1, 1)  # (3, h, w)
            values = ((pixels + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).cpu()
            pictures.append(Image.fromarray(values.numpy()))
    return pictures


_cache: dict[tuple[str, str, str], Base] = {}


def cached_base(path: Path, device: str, dtype: Any) -> Base:
    """The base at ``path``; the last one loaded in this process is kept."""
    key = (f"{Path(path).resolve()}|{base_mark(path)}", device, str(dtype))
    if key not in _cache:
        _cache.clear()
        _cache[key] = registry.detect(path).load(path, device, dtype)
    return _cache[key]


def forget_base() -> None:
    """Drop the base that is kept in memory."""
    _cache.clear()


def _loras(lora: LoraArgument, strength: float) -> list[tuple[Path, float]]:
    if lora is None:
        return []
    if isinstance(lora, str | Path):
        return [(Path(lora), strength)]
    return [(Path(file), weight) for file, weight in lora]
