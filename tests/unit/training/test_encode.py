"""The file of encoded photos: whole, checked, the same from ComfyUI and from the shell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_models import random_taesd

from lora_train.errors import BadInputError
from lora_train.families.conditions import Conditions
from lora_train.families.vae import TinyCoder
from lora_train.training.encode import encode_picture, opening, read_encoded, write_encoded


def test_opening_is_what_names_the_subject() -> None:
    assert opening("photo of ohwx person, on a beach, smiling") == "photo of ohwx person"
    assert opening("ohwx") == "ohwx" and opening("") == ""


def test_round_trip_keeps_values_order_and_extra(tmp_path: Path) -> None:
    latents = [torch.full((4, 2, 3), float(i)) for i in range(11)]
    texts = [torch.full((77, 8), float(i)) for i in range(11)]
    heads = [torch.full((77, 8), float(-i)) for i in range(11)]
    path = write_encoded(tmp_path / "e.state", latents, texts, heads, torch.zeros(77, 8), {"dataset": "abc"})
    again = read_encoded(path)
    assert len(again) == 11 and again.extra["dataset"] == "abc"
    assert all(torch.equal(a, b) for a, b in zip(again.latents, latents, strict=True))
    assert torch.equal(again.words.text, torch.stack([*texts, *heads, torch.zeros(77, 8)]))
    assert (again.opening_row(3), again.empty_row) == (14, 22) and again.words.pooled is None


def test_vectors_and_texts_of_different_lengths_come_back(tmp_path: Path) -> None:
    told = [Conditions.of(torch.randn(1, n, 8), torch.randn(1, 5)) for n in (3, 7, 4)]
    path = write_encoded(tmp_path / "e", [torch.zeros(16, 2, 2)], told[:1], told[1:2], told[2], channels=16)
    words = read_encoded(path).words
    assert words.lengths == (3, 7, 4) and words.pooled is not None
    for row, part in enumerate(told):
        assert torch.equal(words.text[row, : words.lengths[row]], part.text[0])
        assert torch.equal(words.pooled[row], part.pooled[0])


def test_takes_what_comfyui_has_in_its_hands(tmp_path: Path) -> None:
    # Batches of one, half precision, slices that share memory.
    latents = torch.randn(2, 1, 4, 2, 2).half()
    texts = torch.randn(3, 77, 8)
    path = write_encoded(tmp_path / "e.state", list(latents), [texts[0:1], texts[1:2]], [texts[0:1]] * 2, texts[2:3])
    again = read_encoded(path)
    assert again.latents[0].shape == (4, 2, 2) and again.latents[0].dtype == torch.float32
    assert torch.equal(again.words.text[1], texts[1])


def test_refuses_everything_wrong_at_once(tmp_path: Path) -> None:
    bad = [torch.zeros(3, 2, 2), torch.full((4, 2, 2), float("nan"))]
    texts = [torch.zeros(77, 8), torch.zeros(77, 6), torch.zeros(77, 8)]
    with pytest.raises(BadInputError) as error:
        write_encoded(tmp_path / "e.state", bad, texts, texts[:1], torch.zeros(77, 8))
    text = str(error.value)
    assert "2 pictures, 3 captions and 1 openings" in text and "Picture 0" in text and "Picture 1" in text
    assert "Caption 1" in text and not (tmp_path / "e.state").exists()


def test_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no picture"):
        write_encoded(tmp_path / "e.state", [], [], [], torch.zeros(77, 8))


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "x")
    with pytest.raises(BadInputError, match="no encoded photos"):
        read_encoded(tmp_path / "x")
    save_file(
        {"latent.0": torch.zeros(1), "text.empty": torch.zeros(1)},
        tmp_path / "y",
        {"kind": "lorasmith.encoded"},
    )
    with pytest.raises(BadInputError, match=r"lacks text\.0"):
        read_encoded(tmp_path / "y")


def test_a_picture_is_scaled_to_minus_one_to_one() -> None:
    vae = TinyCoder(random_taesd(1), scale=0.18215)
    picture = Image.fromarray(np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3))
    pixels = torch.from_numpy(np.array(picture)).float().permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        torch.testing.assert_close(encode_picture(vae, picture), vae.encode(pixels)[0])
    assert encode_picture(vae, picture).shape == (4, 2, 3)
