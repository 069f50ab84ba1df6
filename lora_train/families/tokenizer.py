"""The CLIP tokenizer, built from the vocabulary that open_clip brings along: no download.

The vocabulary (``bpe_simple_vocab_16e6.txt.gz``, OpenAI) lists the merges in order; tokens are the
256 byte letters, the same with ``</w>``, one token per merge, then the two special tokens.
"""

from __future__ import annotations

import gzip
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import LorasmithError

CONTEXT_TOKENS = 77
START, END = "<|startoftext|>", "<|endoftext|>"
_MERGES = 49152 - 256 - 2  # the part of the list that CLIP uses


@cache
def clip_tokenizer() -> Any:
    """A ``transformers.CLIPTokenizer`` with CLIP-L's ids that pads with ``<|endoftext|>``."""
    from transformers import CLIPTokenizer

    vocabulary, merges = clip_vocabulary()
    ids = {token: number for number, token in enumerate(vocabulary)}
    return CLIPTokenizer(vocab=ids, merges=merges, model_max_length=CONTEXT_TOKENS)


def clip_vocabulary() -> tuple[list[str], list[tuple[str, str]]]:
    """The 49,408 tokens in the order of their ids, and the merges in the order of their rank."""
    lines = gzip.decompress(_vocabulary_file().read_bytes()).decode("utf-8").split("\n")
    pairs = [line.split() for line in lines[1 : _MERGES + 1]]
    merges = [(first, second) for first, second in pairs]
    letters = _byte_letters()
    words = [letter + "</w>" for letter in letters]
    return [*letters, *words, *(a + b for a, b in merges), START, END], merges


def token_ids(texts: list[str]) -> Any:
    """Token ids of ``texts``: int64 tensor ``(n, 77)``, cut off and padded as SD 1.5 expects."""
    encoded = clip_tokenizer()(
        texts,
        padding="max_length",
        max_length=CONTEXT_TOKENS,
        truncation=True,
        return_tensors="pt",
    )
    return encoded.input_ids


def _vocabulary_file() -> Path:
    spec = importlib.util.find_spec("open_clip")  # finds it without importing it
    if spec is None or not spec.origin:
        raise LorasmithError(
            "open_clip is not installed; it brings the vocabulary of the text encoder. Run: "
            "pip install open_clip_torch"
        )
    return Path(spec.origin).with_name("bpe_simple_vocab_16e6.txt.gz")


def _byte_letters() -> list[str]:
    """A printable letter for each byte, printable bytes first: the order of CLIP's first 256 ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
