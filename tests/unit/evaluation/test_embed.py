"""The embedder on a tiny random open_clip model: the real loading path, no network."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from written_embedder import picture

from lora_train.errors import BadInputError
from lora_train.evaluation.clip_files import find_clip_files
from lora_train.evaluation.embed import Embedder, load_embedder


@pytest.fixture(scope="module")
def embedder(tiny_clip: Path) -> Embedder:
    return load_embedder(tiny_clip)


def test_rows_are_unit_vectors_of_the_models_width(embedder: Embedder) -> None:
    images, texts = embedder.images([picture(i) for i in range(5)]), embedder.texts(["a", "b c"])
    assert images.shape == (5, 16) and texts.shape == (2, 16)
    assert np.linalg.norm(images, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert np.linalg.norm(texts, axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    assert embedder.images([]).shape == (0, 16)


def test_same_rows_whatever_the_batch(embedder: Embedder) -> None:
    pictures = [picture(i) for i in range(7)]
    one_by_one = np.concatenate([embedder.images([p]) for p in pictures])
    assert embedder.images(pictures) == pytest.approx(one_by_one, abs=1e-5)


def test_matches_open_clip_on_square_pictures(embedder: Embedder) -> None:
    import open_clip
    import torch

    image = picture(3)
    transform = open_clip.image_transform(
        32, is_train=False, mean=embedder.mean, std=embedder.std, resize_mode="shortest"
    )
    with torch.inference_mode():
        row = embedder.model.encode_image(transform(image)[None])[0].numpy()  # type: ignore[operator]
    assert embedder.images([image])[0] == pytest.approx(row / np.linalg.norm(row), abs=1e-4)


def test_tall_pictures_are_padded_not_cut(embedder: Embedder) -> None:
    tall = Image.new("RGB", (32, 96), (120, 120, 120))
    marked = tall.copy()
    marked.paste((255, 0, 0), (0, 0, 32, 12))  # a centre crop would lose this
    rows = embedder.images([tall, marked])
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_answers_are_probabilities(embedder: Embedder) -> None:
    odds = embedder.answers([picture(0), picture(1)], ["black hair", ["a dog", "the dog"], "smiling"])
    assert odds.shape == (2, 3)
    assert odds.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)


def test_loading_never_opens_a_connection(tiny_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert load_embedder(tiny_clip / "lorasmith_tiny_clip.safetensors").images([picture(0)]).shape == (1, 16)


def test_config_is_found_by_name_or_alone_in_the_folder(tiny_clip: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_clip / "lorasmith_tiny_clip.safetensors", tmp_path / "w.safetensors")
    shutil.copy(tiny_clip / "lorasmith_tiny_clip.json", tmp_path / "c.json")
    (tmp_path / "curve.json").write_text("[1, 2]")
    assert find_clip_files(tmp_path).config.name == "c.json"
    shutil.copy(tmp_path / "c.json", tmp_path / "w.json")
    assert find_clip_files(tmp_path / "w.safetensors").config.name == "w.json"
    with pytest.raises(BadInputError, match="2 open_clip configs"):
        find_clip_files(tmp_path)


def test_builtin_config_is_recognised_by_shape(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    blocks = {f"visual.transformer.resblocks.{i}.x": np.zeros(1, np.float32) for i in range(12)}
    blocks |= {f"transformer.resblocks.{i}.x": np.zeros(1, np.float32) for i in range(12)}
    shapes = {
        "visual.conv1.weight": (768, 3, 32, 32),
        "visual.positional_embedding": (50, 768),
        "positional_embedding": (77, 512),
        "text_projection": (512, 512),
    }
    save_file(blocks | {k: np.zeros(v, np.float16) for k, v in shapes.items()}, tmp_path / "b32.safetensors")
    assert find_clip_files(tmp_path / "b32.safetensors").config.stem == "ViT-B-32"
    shutil.copy(tmp_path / "b32.safetensors", tmp_path / "openai.safetensors")
    assert find_clip_files(tmp_path / "openai.safetensors").config.stem == "ViT-B-32-quickgelu"


def test_each_bad_input_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no embedder at"):
        load_embedder(tmp_path / "none.safetensors")
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(BadInputError, match=r"model\.pt.* can run code"):
        load_embedder(tmp_path / "model.pt")
    (tmp_path / "broken.safetensors").write_bytes(b"x" * 40)
    with pytest.raises(BadInputError, match="no open_clip ViT model"):
        load_embedder(tmp_path / "broken.safetensors")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BadInputError, match=r"0 \.safetensors files"):
        load_embedder(empty)


def test_weights_of_another_model_are_refused(tiny_clip: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    shutil.copy(tiny_clip / "lorasmith_tiny_clip.json", tmp_path / "other_clip.json")
    save_file({"visual.proj": np.zeros((3, 3), np.float32)}, tmp_path / "other_clip.safetensors")
    with pytest.raises(BadInputError, match="does not fit the open_clip config"):
        load_embedder(tmp_path / "other_clip.safetensors")


def test_models_with_downloaded_tokenizers_are_refused(tiny_clip: Path, tmp_path: Path) -> None:
    text = (tiny_clip / "lorasmith_tiny_clip.json").read_text("utf-8")
    changed = text.replace('"context_length"', '"hf_tokenizer_name": "x/y", "context_length"')
    (tmp_path / "hf.json").write_text(changed)
    shutil.copy(tiny_clip / "lorasmith_tiny_clip.safetensors", tmp_path / "hf.safetensors")
    with pytest.raises(BadInputError, match="would be downloaded"):
        load_embedder(tmp_path)


def test_starter_embedder_missing_weights_is_clear(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import lora_train.starter as starter

    missing = (tmp_path / "config.json", tmp_path / "weights.safetensors")
    monkeypatch.setattr(starter, "starter_embedder_files", lambda: missing, raising=False)
    with pytest.raises(BadInputError, match=r"weights 'weights\.safetensors' are missing"):
        load_embedder("starter")
