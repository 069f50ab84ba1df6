"""The metrics against reference implementations, on the same inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lora_train.evaluation.embed import load_embedder
from lora_train.evaluation.similarity import mean_pairwise
from lora_train.evaluation.vendi import vendi, vendi_of

# vendi.score_K and vendi.score_dual of the package vendi-score 0.0.3 (PyPI) on unit rows of RandomState(seed).
VENDI_SCORE = [
    (6, 4, 11, 3.355415671494995, 3.355415671494994),
    (25, 16, 12, 11.923319792465207, 11.923319792465186),
    (60, 8, 13, 7.499378654631491, 7.499378654631355),
]


@pytest.mark.parametrize(("n", "d", "seed", "kernel_score", "dual_score"), VENDI_SCORE)
def test_vendi_score(n: int, d: int, seed: int, kernel_score: float, dual_score: float) -> None:
    rows = np.random.RandomState(seed).normal(size=(n, d))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kernel = rows @ rows.T
    assert vendi(kernel) == pytest.approx(kernel_score, abs=1e-6)
    assert vendi(kernel) == pytest.approx(dual_score, abs=1e-6)
    clipped = np.clip(kernel, 0, 1)  # the rescaled kernel at c0 = 0: negative cosines are "nothing in common"
    assert vendi_of(rows, 0.0) == pytest.approx(vendi(clipped), abs=1e-6)


def test_the_package_itself_where_it_is_installed() -> None:
    peer = pytest.importorskip("vendi_score.vendi", reason="vendi-score is not installed")
    rows = np.random.default_rng(3).normal(size=(40, 12))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert vendi(rows @ rows.T) == pytest.approx(float(peer.score_K(rows @ rows.T)), abs=1e-6)


def test_similarities_are_open_clips_own(tiny_clip: Path) -> None:
    """open_clip's own loop: its transform, encode with normalize=True, a matrix product."""
    import open_clip
    import torch

    embedder = load_embedder(tiny_clip)
    model, _, transform = open_clip.create_model_and_transforms(
        "lorasmith_tiny_clip", pretrained=str(tiny_clip / "lorasmith_tiny_clip.safetensors")
    )
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)) for _ in range(7)]
    texts = ["a photo of a cat", "a photo of a dog, smiling"]
    with torch.inference_mode():
        images = model.eval().encode_image(torch.stack([transform(p) for p in pictures]), normalize=True)  # type: ignore[arg-type]
        words = model.encode_text(open_clip.get_tokenizer("lorasmith_tiny_clip")(texts), normalize=True)
    ours = embedder.images(pictures)
    assert np.abs(ours @ ours.T - (images @ images.T).numpy()).max() < 1e-6
    assert np.abs(ours @ embedder.texts(texts).T - (images @ words.T).numpy()).max() < 1e-6
    pairs = (images @ images.T).numpy()[np.triu_indices(7, 1)]
    assert mean_pairwise(ours).value == pytest.approx(float(pairs.mean()), abs=1e-6)
