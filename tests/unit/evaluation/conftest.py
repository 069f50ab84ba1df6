"""A tiny open_clip model with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny_clip.json and tiny_clip.safetensors (random, seeded)."""
    open_clip = pytest.importorskip("open_clip")
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("clip")
    config = folder / "lorasmith_tiny_clip.json"
    config.write_text(json.dumps(TINY), "utf-8")
    open_clip.add_model_config(config)
    torch.manual_seed(7)
    model = open_clip.create_model(config.stem, load_weights=False)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, config.with_suffix(".safetensors"))
    return folder
