"""The starter's weights: packed small, unpacked right, the text encoder from its seed."""

import numpy as np
import pytest

from lora_train.errors import LorasmithError
from lora_train.starter import checkpoint
from lora_train.starter.text_encoder import LAYERS, SHA256, VOCAB, WIDTH, digest, text_encoder_weights


@pytest.fixture(scope="module")
def text():
    return text_encoder_weights()


def test_text_encoder_has_the_expected_bytes(text):
    assert digest(text) == SHA256


def test_text_encoder_has_clip_l_shapes(text):
    assert text["text_model.embeddings.token_embedding.weight"].shape == (VOCAB, WIDTH)
    assert sum(".mlp.fc1.weight" in name for name in text) == LAYERS
    assert all(value.dtype == np.float16 and np.isfinite(value).all() for value in text.values())


def test_first_layer_heads_look_back_by_their_shift(text):
    """Query of place i against key of place j peaks at j = i - shift, for every head."""
    from lora_train.starter.text_encoder import SHIFTS, _position_code

    code = np.zeros((77, WIDTH))
    code[:, 640:] = _position_code()[0]
    name = "text_model.encoder.layers.0.self_attn.{}_proj.weight"
    q, k = (code @ text[name.format(p)].astype(np.float64).T for p in "qk")
    for head, shift in enumerate(SHIFTS):
        part = slice(head * 64, head * 64 + 64)
        score = q[:, part] @ k[:, part].T
        assert (score[10:].argmax(1) == np.arange(10, 77) - shift).all()


def _weights(rng):
    return {
        "model.diffusion_model.a.weight": rng.normal(0, 0.02, (256, 320)).astype(np.float32),
        "model.diffusion_model.a.bias": rng.normal(0, 1, 320).astype(np.float32),
        "first_stage_model.b.weight": rng.normal(0, 0.1, (64, 64, 3, 3)).astype(np.float32),
    }


def test_packing_keeps_rows_within_half_a_step(tmp_path, monkeypatch):
    weights = _weights(np.random.default_rng(0))
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "base.safetensors")
    checkpoint.pack(weights, checkpoint.SHIPPED)
    back = checkpoint.shipped_weights()
    assert set(back) == set(weights)
    big = weights["model.diffusion_model.a.weight"]
    step = np.abs(big).max(1, keepdims=True) / 127
    assert (np.abs(back["model.diffusion_model.a.weight"] - big) <= 0.51 * step + 1e-4).all()
    for name in ("model.diffusion_model.a.bias", "first_stage_model.b.weight"):
        np.testing.assert_array_equal(back[name], weights[name].astype(np.float16))


def test_checkpoint_is_made_once_and_remade_when_the_weights_change(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "base.safetensors")
    rng = np.random.default_rng(0)
    checkpoint.pack(_weights(rng), checkpoint.SHIPPED)
    path = checkpoint.starter_checkpoint(tmp_path / "out")
    first = path.stat().st_mtime_ns
    assert checkpoint.starter_checkpoint(tmp_path / "out").stat().st_mtime_ns == first
    checkpoint.pack(_weights(rng), checkpoint.SHIPPED)
    assert checkpoint.starter_checkpoint(tmp_path / "out").stat().st_mtime_ns > first
    path.write_bytes(b"half a file")
    assert checkpoint.starter_checkpoint(tmp_path / "out").stat().st_size > 200_000_000


def test_missing_weights_are_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "base.safetensors")
    with pytest.raises(LorasmithError, match="Reinstall"):
        checkpoint.starter_checkpoint(tmp_path)
