"""The CLIP tokenizer, built from the vocabulary that open_clip brings along: no download.

The vocabulary (``bpe_simple_vocab_16e6.txt.gz``, OpenAI) lists the merges in order; tokens are the
256 byte letters, the same with ``</w>``, one token per merge, then the two special tokens.
"""

from __future__ import annotations

import gzip
import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LorasmithError
from ..say import say

if TYPE_CHECKING:
    import torch

CONTEXT_TOKENS = 77
START, END = "<|startoftext|>", "<|endoftext|>"
START_ID, END_ID = 49406, 49407
_WORDS = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
_MERGES = 49152 - 256 - 2  # the part of the list that CLIP uses


def clip_vocabulary() -> tuple[list[str], list[tuple[str, str]]]:
    """The 49,408 tokens in the order of their ids, and the merges in the order of their rank."""
    lines = gzip.decompress(_vocabulary_file().read_bytes()).decode("utf-8").split("\n")
    pairs = [line.split() for line in lines[1 : _MERGES + 1]]
    merges = [(first, second) for first, second in pairs]
    letters = _byte_letters()
    words = [letter + "</w>" for letter in letters]
    return [*letters, *words, *(a + b for a, b in merges), START, END], merges


def token_ids(texts: list[str], padding_id: int = END_ID) -> torch.Tensor:
    """Token ids of ``texts``: int64 ``(n, 77)``, cut off and padded; with ``<|endoftext|>`` as CLIP-L does."""
    import torch

    rows = []
    for text in texts:
        inner = _encoder().encode(text, add_special_tokens=False).ids[: CONTEXT_TOKENS - 2]
        row = [START_ID, *inner, END_ID]
        rows.append(row + [padding_id] * (CONTEXT_TOKENS - len(row)))
    return torch.tensor(rows, dtype=torch.int64)


@cache
def _encoder() -> Any:
    """CLIP's byte-level BPE: lower case, spaces collapsed, split into words, digits and signs."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    vocabulary, merges = clip_vocabulary()
    ids = {token: number for number, token in enumerate(vocabulary)}
    model = models.BPE(ids, merges, unk_token=END, end_of_word_suffix="</w>")
    encoder = Tokenizer(model)
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    encoder.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    words = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    encoder.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return encoder


def _vocabulary_file() -> Path:
    spec = importlib.util.find_spec("open_clip")  # finds it without importing it
    if spec is None or not spec.origin:
        raise LorasmithError(say("basemodel.no_open_clip"))
    return Path(spec.origin).with_name("bpe_simple_vocab_16e6.txt.gz")


def _byte_letters() -> list[str]:
    """A printable letter for each byte, printable bytes first: the order of CLIP's first 256 ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
