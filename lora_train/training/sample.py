"""Text to image with a base model and LoRAs: the same words and seed give the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from ..errors import BadInputError
from ..families import registry
from ..families.base import Base
from ..lora.apply import Weighted, applied
from ..lora.file import read_lora
from ..observer import NullObserver, Observer
from .encode import base_mark
from .memory import Precision, pick_device, pick_dtype

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

SamplerName = Literal["dpmpp_2m", "euler"]
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
    with applied(weighted, unet=base.unet, text_encoder=base.text_encoder, file_names=base.file_names()):
        return sample(base, request, observer)


def problems(request: Request) -> list[str]:
    """Everything wrong with a request, one sentence each."""
    found = []
    if not request.prompts:
        found.append("There is no prompt.")
    if len(request.prompts) != len(request.seeds):
        found.append(f"{len(request.prompts)} prompts need as many seeds, {len(request.seeds)} were given.")
    for name, value in (("width", request.width_px), ("height", request.height_px)):
        if value % 8 or not 32 <= value <= 4096:
            found.append(f"The {name} is {value} px; it must be a multiple of 8 from 32 to 4096.")
    if not 1 <= request.steps <= 1000:
        found.append(f"{request.steps} sampling steps were asked for; use 1 to 1000 (20 is normal).")
    if not 0 <= request.guidance <= 100:
        found.append(f"The guidance is {request.guidance:g}; use 0 to 100 (4 to 8 is normal).")
    return found


def sample(
    base: Base,
    request: Request,
    observer: Observer | None = None,
    known: Mapping[str, torch.Tensor] | None = None,
) -> list[Image]:
    """Pictures of ``request`` with the model as it is now, eight at a time.

    ``known`` are embeddings of all prompts and of the negative; without it they are made here.
    """
    observer = observer or NullObserver()
    pictures: list[Image] = []
    if known is None:
        texts = sorted({*request.prompts, request.negative})
        known = dict(zip(texts, base.embed_texts(texts), strict=True))
    rounds = range(0, len(request.prompts), BATCH)
    total = request.steps * len(rounds)
    for number, start in enumerate(rounds):
        rows = slice(start, start + BATCH)
        text = [known[prompt] for prompt in request.prompts[rows]]
        noise = start_noise(request, request.seeds[rows], base.latent_factor)
        done = number * request.steps
        latents = denoise(base, noise, text, known[request.negative], request, observer, done, total)
        pictures += decode(base, latents)
    return pictures


def start_noise(request: Request, seeds: Sequence[int], factor: int) -> torch.Tensor:
    """Unit noise (n, 4, h, w), drawn on the CPU from each picture's own seed."""
    import torch

    shape = (4, request.height_px // factor, request.width_px // factor)
    draws = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(draws)


def denoise(
    base: Base,
    noise: torch.Tensor,
    texts: Sequence[torch.Tensor],
    negative: torch.Tensor,
    request: Request,
    observer: Observer,
    done: int = 0,
    total: int = 0,
) -> torch.Tensor:
    """Latents (n, 4, h, w) from unit noise, with classifier-free guidance (Ho and Salimans 2022)."""
    import torch

    first = next(base.unet.parameters())
    scheduler = make_scheduler(base, request.sampler)
    scheduler.set_timesteps(request.steps, device=first.device)
    x = noise.to(first.device) * scheduler.init_noise_sigma
    context = torch.stack([*texts]).to(first.device)
    guided = request.guidance != 1.0
    if guided:
        context = torch.cat([negative.to(first.device).expand_as(context), context])  # (2n, 77, d)
    with torch.no_grad():
        for number, t in enumerate(scheduler.timesteps, start=1):
            observer.check_cancelled()
            scaled = scheduler.scale_model_input(x, t)
            eps = predict_noise(base.unet, torch.cat([scaled, scaled]) if guided else scaled, t, context)
            if guided:
                without, with_text = eps.chunk(2)
                eps = without + request.guidance * (with_text - without)
            x = scheduler.step(eps, t, x).prev_sample
            observer.progress(done + number, total or request.steps)
    return x


def predict_noise(unet: Any, latents: torch.Tensor, t: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    """The UNet's output in fp32, computed in the format of its weights."""
    import torch

    first = next(unet.parameters())
    half = first.dtype != torch.float32
    with torch.autocast(first.device.type, dtype=first.dtype if half else torch.bfloat16, enabled=half):
        return unet(latents.to(first.dtype), t, context.to(first.dtype)).sample.float()


def make_scheduler(base: Base, sampler: SamplerName) -> Any:
    """A diffusers scheduler with the base's own noise schedule."""
    from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler

    schedule = dict(base.schedule)
    if sampler == "euler":
        return EulerDiscreteScheduler(**schedule)
    return DPMSolverMultistepScheduler(**schedule, algorithm_type="dpmsolver++", use_karras_sigmas=True)


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
