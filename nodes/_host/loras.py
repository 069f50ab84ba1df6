"""LoRA files by the names in ComfyUI's lists."""

from __future__ import annotations

import difflib
from pathlib import Path

from ...lora_train.errors import BadInputError
from ...lora_train.files import inside
from ...lora_train.say import say
from .folders import lora_folder
from .words import quoted

NO_LORA = "no LoRA yet: train or fetch one"
"""The only choice in a list of LoRAs while there is none."""


def lora_names() -> list[str]:
    """Every LoRA that ComfyUI knows, as its own LoRA loaders list them."""
    import folder_paths

    return folder_paths.get_filename_list("loras")


def lora_choices() -> list[str]:
    """What a list of LoRAs offers: every LoRA, or one line that says how to get the first."""
    return lora_names() or [NO_LORA]


def lora_folders() -> list[Path]:
    """Every folder that ComfyUI searches for LoRAs, the usual one first."""
    import folder_paths

    return [Path(folder) for folder in folder_paths.get_folder_paths("loras")]


def lora_path(name: str) -> Path:
    """The file of a LoRA by its exact name in the list.

    Raises:
        BadInputError: no LoRA has this name; names close to it are suggested.
    """
    import folder_paths

    if name == NO_LORA:
        raise BadInputError(say("node.no_loras"))
    found = folder_paths.get_full_path("loras", name)
    if found and Path(found).is_file():
        return Path(found)
    near = near_loras(name)
    count = len(lora_names())
    if near:
        raise BadInputError(say("node.lora_gone_near", name=name, count=count, near=quoted(near)))
    raise BadInputError(say("node.lora_gone", name=name, count=count))


def near_loras(name: str) -> list[str]:
    """Up to three LoRAs whose names look like ``name``."""
    stems = {Path(k.replace("\\", "/")).stem.lower(): k for k in lora_names()}
    stem = Path(name.replace("\\", "/")).stem.lower()
    return [stems[s] for s in difflib.get_close_matches(stem, stems, n=3, cutoff=0.5)]


def new_lora_path(name: str) -> Path:
    """A free file in the LoRA folder for a new LoRA called ``name``: nothing is ever overwritten.

    A name that is taken gets a number: ``my_lora.safetensors``, ``my_lora_2.safetensors``, ...

    Raises:
        BadInputError: the name is empty, or does not stay inside the LoRA folder.
    """
    first = inside(lora_folder(), name, ".safetensors")
    path, number = first, 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.stem}_{number}{first.suffix}")
    return path


def lora_name_of(path: Path) -> str:
    """The name under which ComfyUI lists a file of the LoRA folder."""
    import os

    return str(path.relative_to(lora_folder().resolve())).replace("/", os.sep)
