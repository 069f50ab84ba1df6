"""Which two files make an embedder: an open_clip JSON config and .safetensors weights, both local."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..say import say


@dataclass(frozen=True)
class ClipFiles:
    """A config in open_clip's own format, and the weights for it."""

    config: Path
    weights: Path


def find_clip_files(path: Path) -> ClipFiles:
    """The pair for a folder (one of each inside) or for a weights file.

    The config of a weights file is the JSON of the same name, else the only one in the folder, else
    open_clip's own config whose shapes fit the weights.

    Raises:
        BadInputError: missing, ambiguous, not .safetensors, or a model that needs a downloaded tokenizer.
    """
    path = Path(path)
    if path.is_dir():
        return _checked(ClipFiles(_only_config(path), _only_weights(path)))
    if not path.is_file():
        raise BadInputError(say("basemodel.no_embedder", path=path, how=_how()))
    if path.suffix.lower() != ".safetensors":
        raise BadInputError(say("basemodel.clip_no_safetensors", name=path.name, how=_how()))
    beside = path.with_suffix(".json")
    return _checked(ClipFiles(beside if beside.is_file() else _matching_config(path), path))


def _only_weights(folder: Path) -> Path:
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        raise BadInputError(say("basemodel.clip_weights_number", folder=folder, n=len(found), how=_how()))
    return found[0]


def _only_config(folder: Path) -> Path:
    found = [p for p in sorted(folder.glob("*.json")) if _is_config(_read(p))]
    if len(found) == 1:
        return found[0]
    if not found:
        return _matching_config(_only_weights(folder))
    raise BadInputError(say("basemodel.clip_configs_number", folder=folder, n=len(found), how=_how()))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return None  # not a JSON text file: no config


def _is_config(value: Any) -> bool:
    return isinstance(value, dict) and {"embed_dim", "vision_cfg", "text_cfg"} <= value.keys()


def _checked(files: ClipFiles) -> ClipFiles:
    config = _read(files.config)
    if not _is_config(config):
        raise BadInputError(say("basemodel.no_clip_config", name=files.config.name))
    text = config["text_cfg"]
    if text.get("hf_tokenizer_name") or text.get("hf_model_name") or "siglip" in files.config.stem.lower():
        raise BadInputError(say("basemodel.clip_tokenizer", name=files.config.stem))
    return files


def _matching_config(weights: Path) -> Path:
    shape = _weights_shape(weights)
    fits = [path for path in _builtin_configs() if _config_shape(_read(path)) == shape]
    if not fits:
        raise BadInputError(say("basemodel.no_config_fits", name=weights.name, how=_how()))
    quick = "openai" in weights.name.lower()
    return min(fits, key=lambda p: (("quickgelu" in p.stem.lower()) != quick, len(p.stem), p.stem))


@cache
def _builtin_configs() -> tuple[Path, ...]:
    from importlib.resources import files

    return tuple(sorted((Path(str(files("open_clip"))) / "model_configs").glob("*.json")))


def _weights_shape(path: Path) -> tuple[object, ...]:
    """(embed, vision width, patch, grid cells, vision layers, text width, text layers, context)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        width, _, patch, _ = shapes["visual.conv1.weight"]
        cells = shapes["visual.positional_embedding"][0] - 1
        context, text_width = shapes["positional_embedding"]
        embed = shapes["text_projection"][1]
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise BadInputError(say("basemodel.no_vit", name=path.name, how=_how())) from error
    layers = [_blocks(shapes, prefix) for prefix in ("visual.transformer.", "transformer.")]
    return embed, width, patch, cells, layers[0], text_width, layers[1], context


def _blocks(shapes: dict[str, Any], prefix: str) -> int:
    start = f"{prefix}resblocks."
    return len({key[len(start) :].split(".")[0] for key in shapes if key.startswith(start)})


def _config_shape(config: Any) -> tuple[object, ...] | None:
    vision, text = config["vision_cfg"], config["text_cfg"]
    sizes = [vision.get(k) for k in ("width", "patch_size", "image_size", "layers")]
    if config.get("custom_text") or not all(isinstance(s, int) for s in sizes):
        return None  # towers of other kinds name their weights differently
    width, patch, size, layers = sizes
    return (
        config["embed_dim"],
        width,
        patch,
        (size // patch) ** 2,
        layers,
        text.get("width"),
        text.get("layers"),
        text.get("context_length", 77),
    )


def _how() -> str:
    return say("basemodel.clip_how")
