"""Photos and captions, encoded once: one ``.safetensors`` file that training reads.

Tensors: ``latent.<i>`` (c, h, w) fp32 in the model's own units, ``text.<i>`` (tokens, width) fp32 of the
captions, ``opening.<i>`` of each caption's :func:`opening` and ``text.empty`` for dropped captions; families
that read one vector a text have it under the same names with ``pooled.`` before them.
ComfyUI writes the same file with its own VAE and CLIP, so that what is trained is what will be
sampled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from ..errors import BadInputError
from ..families.conditions import Conditions
from ..families.header import read_header
from ..lora.file import write_tensors
from ..observer import NullObserver, Observer
from ..say import say

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ..dataset.manifest import Dataset
    from ..families.base import Base
    from .text import LiveWords

KIND = "lorasmith.encoded"
VERSION = "1"
EMPTY = "text.empty"
Told = Union["torch.Tensor", Conditions]


@dataclass(frozen=True)
class EncodedSet:
    """Everything the loop reads about the photos. ``latents[i]`` belongs to row i of ``words``."""

    latents: tuple[torch.Tensor, ...]
    """Each (c, h, w), fp32; sizes may differ between photos."""
    words: Conditions | LiveWords
    """2n + 1 rows: the captions, their openings (cut after the words that name the subject), no text."""
    extra: Mapping[str, str] = field(default_factory=dict)
    masks: tuple[torch.Tensor, ...] = ()
    """Weight of each place of each latent, (h, w) fp32; none look at whole pictures."""

    def __len__(self) -> int:
        return len(self.latents)

    def opening_row(self, index: int) -> int:
        """The row of ``words`` with the opening of caption ``index``."""
        return len(self.latents) + index

    @property
    def empty_row(self) -> int:
        """The row of ``words`` with the empty caption."""
        return 2 * len(self.latents)

    def to(self, device: str) -> EncodedSet:
        """The same set on another device."""
        latents = tuple(latent.to(device) for latent in self.latents)
        words = self.words.to(device) if isinstance(self.words, Conditions) else self.words
        return EncodedSet(latents, words, self.extra, tuple(mask.to(device) for mask in self.masks))


def opening(caption: str) -> str:
    """A caption up to its first comma: "photo of ohwx person" of "photo of ohwx person, on a beach"."""
    return caption.partition(",")[0].strip()


def write_encoded(
    path: Path,
    latents: Sequence[torch.Tensor],
    texts: Sequence[Told],
    openings: Sequence[Told],
    empty_text: Told,
    extra: Mapping[str, str] | None = None,
    channels: int = 4,
) -> Path:
    """Write an encoded set, whole or not at all. A leading dimension of 1 is dropped.

    Args:
        latents: one (channels, h, w) a photo.
        texts: its caption; a tensor (tokens, width) is a text without a pooled vector.
        openings: the :func:`opening` of its caption.
        empty_text: the empty caption.
        extra: metadata of the file.
        channels: how many the family's latents have.

    Raises:
        BadInputError: counts differ, a shape is wrong, a value is NaN or infinite, or the disk is
            full; all problems of the tensors at once.
    """
    rows = [_flat(latent, 3) for latent in latents]
    tensors = {f"latent.{i}": row for i, row in enumerate(rows)}
    for i, text in enumerate(texts):
        tensors |= _named(f"text.{i}", text)
    for i, text in enumerate(openings):
        tensors |= _named(f"opening.{i}", text)
    tensors |= _named(EMPTY, empty_text)
    counts = (len(rows), len(texts), len(openings))
    BadInputError.collect([*_count_problems(counts), *_problems(tensors, channels)])
    write_tensors(path, tensors, {"kind": KIND, "version": VERSION, **(extra or {})})
    return Path(path)


def _named(name: str, text: Told) -> dict[str, torch.Tensor]:
    """The tensors of one text under their names in the file."""
    if not isinstance(text, Conditions):
        return {name: _flat(text, 2)}
    tensors = {name: _flat(text.text[:, : text.lengths[0]], 2)}
    if text.pooled is not None:
        tensors[f"pooled.{name}"] = _flat(text.pooled, 1)
    return tensors


def _flat(tensor: torch.Tensor, dimensions: int) -> torch.Tensor:
    value = tensor.detach().float().cpu()
    while value.dim() > dimensions and value.shape[0] == 1:
        value = value[0]
    return value.contiguous().clone()  # a clone, since safetensors refuses shared memory


def _count_problems(counts: tuple[int, int, int]) -> list[str]:
    pictures, captions, heads = counts
    if not pictures:
        return ["There is no picture to train on."]
    if pictures == captions == heads:
        return []
    return [f"There are {pictures} pictures, {captions} captions and {heads} openings of captions; one each is needed."]


def _problems(tensors: Mapping[str, torch.Tensor], channels: int) -> list[str]:
    found = []
    empty = tuple(tensors[EMPTY].shape)
    vector = tensors[f"pooled.{EMPTY}"].shape if f"pooled.{EMPTY}" in tensors else None
    for name, value in tensors.items():
        shape, what = tuple(value.shape), name.replace("text.", "").replace("opening.", "")
        if name.startswith("latent."):
            if len(shape) != 3 or shape[0] != channels:
                found.append(say("training.picture_shape", number=name[7:], shape=shape, channels=channels))
            elif not value.isfinite().all():
                found.append(say("training.picture_nan", number=name[7:]))
        elif name.startswith("pooled."):
            if value.dim() != 1 or value.shape != vector:
                found.append(say("training.pooled_shape", caption=what[7:], shape=shape))
        elif len(shape) != 2 or shape[1] != empty[-1]:
            found.append(say("training.caption_shape", caption=what, shape=shape, empty=empty))
        if not name.startswith("latent.") and not value.isfinite().all():
            found.append(say("training.caption_nan", caption=what))
    return found


def read_encoded(path: Path) -> EncodedSet:
    """Read what :func:`write_encoded` wrote.

    Raises:
        BadInputError: no such file, another kind of file, or parts are missing.
    """
    from safetensors.torch import load_file

    header = read_header(Path(path))
    if header.metadata.get("kind") != KIND or EMPTY not in header:
        raise BadInputError(say("training.not_encoded", path=path))
    tensors = load_file(str(path))
    count = sum(name.startswith("latent.") for name in tensors)
    names = [f"{kind}.{i}" for kind in ("latent", "text", "opening") for i in range(count)]
    missing = [name for name in names if name not in tensors]
    if missing or not count:
        raise BadInputError(say("training.encoded_lacks", path=path, part=(missing or ["latent.0"])[0]))
    words = Conditions.join([_told(tensors, name) for name in [*names[count:], EMPTY]])
    return EncodedSet(tuple(tensors[f"latent.{i}"] for i in range(count)), words, header.metadata)


def _told(tensors: Mapping[str, torch.Tensor], name: str) -> Conditions:
    pooled = tensors.get(f"pooled.{name}")
    return Conditions.of(tensors[name][None], None if pooled is None else pooled[None])


def check_fits(data: EncodedSet, base: Base) -> None:
    """See that encoded photos are what the base's denoiser reads.

    Raises:
        BadInputError: they were made for another family, or their sides do not divide; all problems at once.
    """
    found = []
    sizes = {tuple(latent.shape) for latent in data.latents}
    channels = sorted({size[0] for size in sizes} - {base.latent_channels})
    if channels:
        found.append(say("training.wrong_vae", channels=channels[0], base=base.path.name, wanted=base.latent_channels))
    wanted, words = text_width(base.unet), data.words
    given = words.text.shape[-1] if isinstance(words, Conditions) else wanted
    if wanted and given != wanted:
        found.append(say("training.wrong_clip", given=given, base=base.path.name, wanted=wanted))
    if base.traits.pooled and isinstance(words, Conditions) and words.pooled is None:
        found.append(say("training.no_pooled", base=base.path.name))
    multiple = base.traits.latent_multiple
    odd = sorted(size for size in sizes if size[1] % multiple or size[2] % multiple)
    if odd:
        px = multiple * base.latent_factor
        side = tuple(n * base.latent_factor for n in odd[0][:0:-1])
        found.append(say("training.odd_size", width=side[0], height=side[1], base=base.path.name, px=px))
    BadInputError.collect(found)


def text_width(model: Any) -> int:
    """Numbers a text token has for ``model``; 0 when its config does not say."""
    names = ("joint_attention_dim", "cross_attention_dim", "cap_feat_dim")
    return next((model.config[name] for name in names if model.config.get(name)), 0)


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
    told = base.embed_texts([*captions, *map(opening, captions), ""])
    rows = [told.rows([number]) for number in range(len(told))]
    latents = []
    for done, entry in enumerate(entries, start=1):
        observer.check_cancelled()
        latents.append(encode_picture(vae, render_crop(entry)))
        observer.progress(done, len(entries))
    extra = {"dataset": dataset.digest(), "base": base_mark(base.path)}
    extra["captions"] = json.dumps(captions, ensure_ascii=False)
    n = len(entries)
    return write_encoded(path, latents, rows[:n], rows[n : 2 * n], rows[-1], extra, base.latent_channels)


def encode_picture(vae: object, picture: Image) -> torch.Tensor:
    """Latent (c, h/8, w/8), fp32 on the CPU, of an RGB picture."""
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
