"""Where things lie: ComfyUI's folders and this pack's places in them."""

from __future__ import annotations

import difflib
from pathlib import Path

from ...lora_train.errors import BadInputError
from ...lora_train.files import inside
from ...lora_train.say import say
from .words import quoted


def input_folder() -> Path:
    """ComfyUI's input folder."""
    import folder_paths

    return Path(folder_paths.get_input_directory())


def temp_folder() -> Path:
    """A folder that ComfyUI empties when it starts and ends."""
    import folder_paths

    folder = Path(folder_paths.get_temp_directory()) / "lorasmith"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def lora_folder() -> Path:
    """Where trained LoRAs go: ``output/loras``, which ComfyUI searches for LoRAs by itself."""
    import folder_paths

    return Path(folder_paths.get_output_directory()) / "loras"


def dataset_folder(name: str) -> Path:
    """Where datasets are written: ``output/lorasmith_datasets/<name>``.

    Raises:
        BadInputError: the name is empty, or does not stay inside.
    """
    import folder_paths

    return inside(Path(folder_paths.get_output_directory()) / "lorasmith_datasets", name)


def tests_folder() -> Path:
    """Where reports of tested LoRAs are kept: ``output/lorasmith_tests``."""
    import folder_paths

    return Path(folder_paths.get_output_directory()) / "lorasmith_tests"


def suite_folder() -> Path:
    """Where the user's own prompt suites lie: ``user/lorasmith/suites``. It may not be there."""
    import folder_paths

    return Path(folder_paths.get_user_directory()) / "lorasmith" / "suites"


def passing_folder(mark: str) -> Path:
    """A folder for pictures that need not outlive ComfyUI; the same ``mark`` gives the same folder."""
    return temp_folder() / "datasets" / mark


def photo_folder(text: str) -> Path:
    """The folder a user named: a full path, or a folder inside ComfyUI's input folder.

    Raises:
        BadInputError: nothing was named, or there is no such folder.
    """
    name = text.strip().strip("\"'")
    if not name:
        raise BadInputError(say("node.no_folder_named", input=input_folder()))
    folder = Path(name).expanduser()
    folder = folder if folder.is_absolute() else input_folder() / folder
    if not folder.is_dir():
        near = difflib.get_close_matches(name, _input_subfolders(), n=3, cutoff=0.4)
        if near:
            raise BadInputError(say("node.no_folder_near", folder=folder, near=quoted(near)))
        raise BadInputError(say("node.no_folder", folder=folder))
    return folder


def private_folder() -> Path:
    """A folder of the user directory that is not served over HTTP: for keys."""
    import folder_paths

    return Path(folder_paths.get_system_user_directory("lorasmith"))


def _input_subfolders() -> list[str]:
    root = input_folder()
    return sorted(p.name for p in root.iterdir() if p.is_dir()) if root.is_dir() else []
