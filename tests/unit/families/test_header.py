"""Headers of safetensors files: read cheaply, refused with one clear line."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lora_train.errors import UnsupportedModelError
from lora_train.families.header import read_header


def _file(folder: Path, content: bytes, name: str = "m.safetensors") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _with_header(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_reads_names_types_shapes_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "ok.safetensors"
    save_file({"a.b": np.zeros((2, 3), np.float16), "s": np.array(1, np.float32)}, path, {"k": "v"})
    header = read_header(path)
    assert header.tensors["a.b"].shape == (2, 3) and header.tensors["a.b"].dtype == "F16"
    assert header.shape("s") == () and "s" in header and header.metadata == {"k": "v"}


def test_a_header_length_that_looks_like_a_pickle_is_still_a_header(tmp_path: Path) -> None:
    # 0x80 as first byte also starts a pickle; a real checkpoint had such a header length.
    header = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    text = json.dumps(header).encode().ljust(0x80)
    assert "a" in read_header(_file(tmp_path, struct.pack("<Q", 0x80) + text + b"\0"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"abc", "is no safetensors file"),
        (b"PK\x03\x04" + b"\0" * 50, "pickled PyTorch file"),
        (b"\x80\x02}q\x00." + b"\0" * 50, "pickled PyTorch file"),
        (b"GGUF" + b"\0" * 50, "GGUF"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "is no safetensors file"),
        (struct.pack("<Q", 5000) + b'{"a":', "is cut off"),
        (struct.pack("<Q", 6) + b"{notjs", "not JSON"),
        (_with_header({}), "no tensors"),
        (_with_header({"a": {"dtype": "F32"}}), "malformed"),
        (
            _with_header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"\0" * 8),
            "fit its shape",
        ),
        (
            _with_header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 4),
            "is cut off",
        ),
    ],
)
def test_refuses_what_is_no_whole_file(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(UnsupportedModelError, match=says) as error:
        read_header(_file(tmp_path, content))
    assert "m.safetensors" in str(error.value) and "\n" not in str(error.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(UnsupportedModelError, match="There is no file"):
            read_header(path)
