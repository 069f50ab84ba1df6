"""The starter's CLIP-L text encoder, made from a fixed seed instead of being shipped (123 M parameters).

It is not trained; it is arranged so that a small UNet can read it through one cross-attention layer.
Words get random +-1 codes, positions get sines and cosines. The first layer's heads look exactly one,
two or three words back (their query is the position code rotated by that many places), so each word
carries its neighbours: "red" in "red hair" and in "red shirt" end up in different vectors. The other
eleven layers pass their input through (their output projections are zero).

Every weight is an integer multiple of a power of two drawn from raw PCG64 bits, so the bytes are the
same on every platform and the checksum can be verified.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np

SEED = 20_26_11
VOCAB, WIDTH, LAYERS, HEADS, MLP, LENGTH = 49_408, 768, 12, 12, 3_072, 77
CODE = 640
"""The first 640 of the 768 dimensions hold the word, the last 128 the position."""
SHIFTS = (1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)
"""How many words back each head of the first layer looks."""
SHA256 = "a243a40ccc9b6b0f964ddd524753ed041b0394d6ee8b78baf94d427400f7bbd0"
PREFIX = "text_model."

Arrays = dict[str, np.ndarray]


class _Bits:
    """Random signs from raw PCG64 words, whose stream NumPy guarantees."""

    def __init__(self, seed: int) -> None:
        self._source = np.random.PCG64(seed)

    def signs(self, *shape: int) -> np.ndarray:
        """int8 array of -1 and +1."""
        count = math.prod(shape)
        words = self._source.random_raw((count + 63) // 64).astype("<u8")
        bits = np.unpackbits(words.view(np.uint8), bitorder="little")[:count]
        return (bits.astype(np.int8) * 2 - 1).reshape(shape)


def _grid(values: np.ndarray) -> np.ndarray:
    """Round to multiples of 1/256, exact in fp16 below 8; hides the last bits of sin and cos."""
    return np.round(values * 256) / 256


def _position_code() -> tuple[np.ndarray, np.ndarray]:
    """(77, 128) cosines then sines of 64 frequencies, and the frequencies."""
    frequency = 0.15 + 2.9 * ((np.arange(64) * 0.6180339887498949) % 1.0)
    angle = np.arange(LENGTH)[:, None] * frequency
    return _grid(2 * np.concatenate([np.cos(angle), np.sin(angle)], 1)), frequency


def _looking_back(frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Query and key matrices (768, 768) of the first layer: attend to the word ``shift`` places back."""
    query, key = np.zeros((WIDTH, WIDTH)), np.zeros((WIDTH, WIDTH))
    for head, shift in enumerate(SHIFTS):
        for i in range(32):
            f = (i * 2 + head) % 64
            row, cos_in, sin_in = head * 64 + i, CODE + f, CODE + 64 + f
            c, s = math.cos(frequency[f] * shift), math.sin(frequency[f] * shift)
            query[row, cos_in], query[row, sin_in] = 1.25 * c, 1.25 * s
            query[row + 32, cos_in], query[row + 32, sin_in] = -1.25 * s, 1.25 * c
            key[row, cos_in] = key[row + 32, sin_in] = 1.25
    return _grid(query), _grid(key)


def _layer(bits: _Bits, index: int) -> Iterator[tuple[str, np.ndarray]]:
    name = f"encoder.layers.{index}."
    first = index == 0
    for norm in ("layer_norm1", "layer_norm2"):
        yield f"{name}{norm}.weight", np.ones(WIDTH)
        yield f"{name}{norm}.bias", np.zeros(WIDTH)
    query, key = _looking_back(_position_code()[1]) if first else (bits.signs(WIDTH, WIDTH) / 64,) * 2
    value = bits.signs(WIDTH, WIDTH) / 32
    out = np.zeros((WIDTH, WIDTH))
    if first:
        value[:, CODE:] = 0
        out[:CODE] = bits.signs(CODE, WIDTH) / 16
    for part, weight in (("q", query), ("k", key), ("v", value), ("out", out)):
        yield f"{name}self_attn.{part}_proj.weight", weight
        yield f"{name}self_attn.{part}_proj.bias", np.zeros(WIDTH)
    yield f"{name}mlp.fc1.weight", bits.signs(MLP, WIDTH) / 32
    yield f"{name}mlp.fc1.bias", np.zeros(MLP)
    fc2 = np.zeros((WIDTH, MLP))
    if first:
        fc2[:CODE] = bits.signs(CODE, MLP) / 64
    yield f"{name}mlp.fc2.weight", fc2
    yield f"{name}mlp.fc2.bias", np.zeros(WIDTH)


def _named() -> Iterator[tuple[str, np.ndarray]]:
    bits = _Bits(SEED)
    token = np.zeros((VOCAB, WIDTH), np.float16)
    token[:, :CODE] = bits.signs(VOCAB, CODE)
    yield "embeddings.token_embedding.weight", token
    position = np.zeros((LENGTH, WIDTH))
    position[:, CODE:] = _position_code()[0]
    yield "embeddings.position_embedding.weight", position
    for index in range(LAYERS):
        yield from _layer(bits, index)
    yield "final_layer_norm.weight", np.ones(WIDTH)
    yield "final_layer_norm.bias", np.zeros(WIDTH)


def text_encoder_weights() -> Arrays:
    """All weights as fp16 under transformers' CLIPTextModel names (``text_model.…``)."""
    return {PREFIX + name: value.astype(np.float16) for name, value in _named()}


def digest(weights: Arrays) -> str:
    """SHA-256 over names, shapes and bytes."""
    out = hashlib.sha256()
    for name in sorted(weights):
        out.update(f"{name}{weights[name].shape}".encode())
        out.update(np.ascontiguousarray(weights[name]).data)
    return out.hexdigest()
