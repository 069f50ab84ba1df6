"""Pictures and words as unit vectors, by a CLIP model that open_clip loads from local files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import BadInputError
from ..say import say
from .calibration import Calibration, calibration_of
from .clip_files import ClipFiles, find_clip_files

if TYPE_CHECKING:
    from PIL.Image import Image

TEMPLATES = ("photo of a person, {}", "a photo of a person, {}", "portrait of a person, {}")
"""Default prompt ensemble for answers that are bare phrases."""


class Embeds(Protocol):
    """What the metrics need of an embedder; tests bring their own."""

    @property
    def scale(self) -> float: ...
    @property
    def calibration(self) -> Calibration: ...
    def images(self, images: Sequence[Image]) -> np.ndarray: ...
    def texts(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Embedder:
    """A loaded CLIP model. Make one with :func:`load_embedder` or :func:`starter_embedder`."""

    name: str
    model: Any
    tokenizer: Any
    size_px: tuple[int, int]
    """(height, width) of the vision tower's input."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    """exp(logit_scale): what cosines are multiplied with before a softmax."""
    calibration: Calibration
    device: str = "cpu"
    batch: int = 32

    def images(self, images: Sequence[Image]) -> np.ndarray:
        """(n, d) float32 unit rows for RGB pictures of any size.

        A picture is padded to the tower's shape with the mean colour: a centre crop would cut heads.
        """
        import torch

        rows = []
        with torch.inference_mode():
            for chunk in _chunks(images, self.batch):
                pixels = np.stack([self._pixels(image) for image in chunk])
                rows.append(self._unit(self.model.encode_image(torch.from_numpy(pixels).to(self.device))))
        return np.concatenate(rows) if rows else np.zeros((0, self._width()), np.float32)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float32 unit rows for texts; tokens beyond the context are cut off."""
        import torch

        rows = []
        with torch.inference_mode():
            for chunk in _chunks(texts, self.batch):
                rows.append(self._unit(self.model.encode_text(self.tokenizer(list(chunk)).to(self.device))))
        return np.concatenate(rows) if rows else np.zeros((0, self._width()), np.float32)

    def answers(self, images: Sequence[Image], question: Sequence[str | Sequence[str]]) -> np.ndarray:
        """Zero-shot probabilities (n, k) of the k answers of one question for n pictures.

        Args:
            question: each answer is a phrase (put into :data:`TEMPLATES`) or its own list of prompts.
        """
        prompts = [[t.format(a) for t in TEMPLATES] if isinstance(a, str) else list(a) for a in question]
        return answer_probabilities(self, self.images(images), prompts)

    def _pixels(self, image: Image) -> np.ndarray:
        from PIL import Image as pil
        from PIL import ImageOps

        height, width = self.size_px
        fill = tuple(round(255 * m) for m in self.mean)
        fitted = ImageOps.pad(image.convert("RGB"), (width, height), pil.Resampling.BICUBIC, color=fill)
        mean, std = np.array([self.mean, self.std], np.float32)
        pixels = (np.asarray(fitted, np.float32) / 255 - mean) / std
        return pixels.transpose(2, 0, 1)  # (3, height, width)

    def _unit(self, features: Any) -> np.ndarray:
        rows = features.float()
        return (rows / rows.norm(dim=-1, keepdim=True).clamp_min(1e-12)).cpu().numpy()

    def _width(self) -> int:
        return int(self.model.visual.output_dim)


def answer_probabilities(embedder: Embeds, images: np.ndarray, prompts: Sequence[Sequence[str]]) -> np.ndarray:
    """softmax(scale * cosine) over the answers of one question: unit rows (n, d) -> (n, k)."""
    logits = embedder.scale * images @ answer_vectors(embedder, prompts).T
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def answer_vectors(embedder: Embeds, prompts: Sequence[Sequence[str]]) -> np.ndarray:
    """(k, d) unit rows: the renormalised mean of each answer's prompts (Radford et al. 2021, 3.1.4)."""
    flat = embedder.texts([p for answer in prompts for p in answer])
    ends = np.cumsum([len(answer) for answer in prompts])
    means = np.stack([part.mean(0) for part in np.split(flat, ends[:-1])])
    return means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12)


def starter_embedder() -> Embedder:
    """The small embedder that ships with Lorasmith, made for the rendered people of the starter.

    Raises:
        BadInputError: its weights are not installed.
    """
    from ..starter import starter_embedder_files

    config, weights = starter_embedder_files()
    return _load(ClipFiles(Path(config), Path(weights)))


def load_embedder(source: str | Path | None = None) -> Embedder:
    """An embedder by name or file: ``"starter"`` (also None), or what :func:`find_clip_files` takes.

    Raises:
        BadInputError: nothing usable there. Nothing is ever downloaded.
    """
    if source is None or str(source).strip().lower() in ("", "starter"):
        return starter_embedder()
    return _load(find_clip_files(Path(source)))


@lru_cache(maxsize=2)
def _load(files: ClipFiles) -> Embedder:
    if not files.weights.is_file():
        raise BadInputError(say("basemodel.embedder_missing", name=files.weights.name, folder=files.weights.parent))
    import open_clip

    open_clip.add_model_config(files.config)
    try:
        model = open_clip.create_model(files.config.stem, pretrained=str(files.weights), device="cpu")
    except (RuntimeError, ValueError, KeyError, TypeError, OSError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInputError(
            say("basemodel.config_misfit", name=files.weights.name, config=files.config.name, why=first)
        ) from error
    return _wrap(files.config.stem, model.eval())


def _wrap(name: str, model: Any) -> Embedder:
    import open_clip

    settings, size = model.visual.preprocess_cfg, model.visual.image_size
    return Embedder(
        name=name,
        model=model,
        tokenizer=open_clip.get_tokenizer(name),
        size_px=(size, size) if isinstance(size, int) else tuple(size),
        mean=tuple(settings["mean"]),
        std=tuple(settings["std"]),
        scale=float(model.logit_scale.detach().exp()),
        calibration=calibration_of(name),
    )


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))
