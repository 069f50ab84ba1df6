"""Photos and captions, encoded once: one ``.safetensors`` file that training reads.

Tensors: ``latent.<i>`` (4, h, w) fp32 in the UNet's own units, ``text.<i>`` (77, 768) fp32 of the
captions, ``opening.<i>`` of each caption's :func:`opening` and ``text.empty`` for dropped captions.
ComfyUI writes the same file with its own VAE and CLIP, so that what is trained is what will be
sampled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..families.header import read_header
from ..lora.file import write_tensors
from ..observer import NullObserver, Observer

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ..dataset.manifest import Dataset
    from ..families.base import Base

KIND = "lorasmith.encoded"
VERSION = "1"


@dataclass(frozen=True)
class EncodedSet:
    """Everything the loop reads about the photos. ``latents[i]`` belongs to ``texts[i]``."""

    latents: tuple[torch.Tensor, ...]
    """Each (4, h, w), fp32; sizes may differ between photos."""
    texts: torch.Tensor
    """(n, 77, width), fp32."""
    openings: torch.Tensor
    """(n, 77, width), fp32: the captions cut after the words that name the subject."""
    empty_text: torch.Tensor
    """(77, width), fp32."""
    extra: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.latents)

    def to(self, device: str) -> EncodedSet:
        """The same set on another device."""
        moved = tuple(latent.to(device) for latent in self.latents)
        texts, openings, empty = (t.to(device) for t in (self.texts, self.openings, self.empty_text))
        return EncodedSet(moved, texts, openings, empty, self.extra)


def opening(caption: str) -> str:
    """A caption up to its first comma: "photo of ohwx person" of "photo of ohwx person, on a beach"."""
    return caption.partition(",")[0].strip()


def write_encoded(
    path: Path,
    latents: Sequence[torch.Tensor],
    texts: Sequence[torch.Tensor],
    openings: Sequence[torch.Tensor],
    empty_text: torch.Tensor,
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write an encoded set, whole or not at all. A leading dimension of 1 is dropped.

    Args:
        latents: one (4, h, w) a photo.
        texts: its caption, (77, width).
        openings: the :func:`opening` of its caption, (77, width).
        empty_text: the empty caption, (77, width).
        extra: metadata of the file.

    Raises:
        BadInputError: counts differ, a shape is wrong, a value is NaN or infinite, or the disk is
            full; all problems of the tensors at once.
    """
    rows = [_flat(latent, 3) for latent in latents]
    words, heads = [_flat(text, 2) for text in texts], [_flat(text, 2) for text in openings]
    empty = _flat(empty_text, 2)
    BadInputError.collect(_problems(rows, words, heads, empty))
    tensors = {f"latent.{i}": row for i, row in enumerate(rows)}
    tensors |= {f"text.{i}": text for i, text in enumerate(words)}
    tensors |= {f"opening.{i}": text for i, text in enumerate(heads)}
    tensors["text.empty"] = empty
    write_tensors(path, tensors, {"kind": KIND, "version": VERSION, **(extra or {})})
    return Path(path)


def _flat(tensor: torch.Tensor, dimensions: int) -> torch.Tensor:
    value = tensor.detach().float().cpu()
    while value.dim() > dimensions and value.shape[0] == 1:
        value = value[0]
    return value.contiguous().clone()  # a clone, since safetensors refuses shared memory


def _problems(rows: Sequence[torch.Tensor], words: Sequence[torch.Tensor], openings: Sequence[torch.Tensor],
              empty: torch.Tensor) -> list[str]:
    found = []
    if not rows:
        found.append("There is no picture to train on.")
    if not len(rows) == len(words) == len(openings):
        found.append(f"There are {len(rows)} pictures, {len(words)} captions and {len(openings)} openings of "
                     "captions; one each is needed.")
    for i, row in enumerate(rows):
        if row.dim() != 3 or row.shape[0] != 4:
            found.append(f"Picture {i} was encoded to {tuple(row.shape)}; (4, h, w) is needed.")
        elif not row.isfinite().all():
            found.append(f"Picture {i} was encoded to NaN or infinity; run the VAE in fp32.")
    for i, text in enumerate([*words, *openings, empty]):
        if text.dim() != 2 or text.shape != empty.shape:
            shapes = f"{tuple(text.shape)}, the empty caption to {tuple(empty.shape)}"
            found.append(f"Caption {i} was encoded to {shapes}; both must be (77, width).")
        elif not text.isfinite().all():
            found.append(f"Caption {i} was encoded to NaN or infinity; the text encoder is broken.")
    return found


def read_encoded(path: Path) -> EncodedSet:
    """Read what :func:`write_encoded` wrote.

    Raises:
        BadInputError: no such file, another kind of file, or parts are missing.
    """
    from safetensors.torch import load_file

    header = read_header(Path(path))
    if header.metadata.get("kind") != KIND or "text.empty" not in header:
        raise BadInputError(f"'{path}' holds no encoded photos. Encode the photos again.")
    tensors = load_file(str(path))
    count = sum(name.startswith("latent.") for name in tensors)
    names = [f"{kind}.{i}" for i in range(count) for kind in ("latent", "text", "opening")]
    missing = [name for name in names if name not in tensors]
    if missing or not count:
        raise BadInputError(f"'{path}' lacks {(missing or ['latent.0'])[0]}. Encode the photos again.")
    import torch

    latents = tuple(tensors[f"latent.{i}"] for i in range(count))
    texts = torch.stack([tensors[f"text.{i}"] for i in range(count)])
    openings = torch.stack([tensors[f"opening.{i}"] for i in range(count)])
    return EncodedSet(latents, texts, openings, tensors["text.empty"], header.metadata)


def encode_dataset(base: Base, dataset: Dataset, path: Path, observer: Observer | None = None) -> Path:
    """Encode the kept photos of ``dataset`` with ``base`` and write them to ``path``.

    Raises:
        BadInputError: a photo cannot be read, the base has no VAE or text encoder, the disk is full.
    """
    from ..crop import render_crop

    observer = observer or NullObserver()
    vae = base.require_vae()
    entries = dataset.pictures
    captions = [entry.caption for entry in entries]
    texts = base.embed_texts([*captions, *map(opening, captions), ""])
    latents = []
    for done, entry in enumerate(entries, start=1):
        observer.check_cancelled()
        latents.append(encode_picture(vae, render_crop(entry)))
        observer.progress(done, len(entries))
    extra = {"dataset": dataset.digest(), "base": base_mark(base.path)}
    extra["captions"] = json.dumps(captions, ensure_ascii=False)
    n = len(entries)
    return write_encoded(path, latents, list(texts[:n]), list(texts[n : 2 * n]), texts[-1], extra)


def encode_picture(vae: object, picture: Image) -> torch.Tensor:
    """Latent (4, h/8, w/8), fp32 on the CPU, of an RGB picture."""
    import numpy as np
    import torch

    values = np.asarray(picture.convert("RGB"), dtype=np.float32) / 127.5 - 1.0  # (h, w, 3)
    pixels = torch.from_numpy(values).permute(2, 0, 1)[None]  # (1, 3, h, w)
    with torch.no_grad():
        return vae.encode(pixels)[0].float().cpu()  # type: ignore[attr-defined]


def base_mark(path: Path) -> str:
    """A cheap mark that changes when the base file does: name, size and time of change."""
    stat = Path(path).stat()
    return f"{Path(path).name}:{stat.st_size}:{stat.st_mtime_ns}"
