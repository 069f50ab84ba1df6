"""Settings of another trainer from any of the files people have: found out by what is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from ..say import say
from .ai_toolkit import from_ai_toolkit
from .arguments import parse_arguments
from .kohya_read import from_kohya
from .notes import Settings
from .toml import read_toml

_GUI_MARKS = ("LoRA_type", "network_dim", "train_batch_size", "pretrained_model_name_or_path")


def read_settings(path: Path) -> Settings:
    """Read a kohya TOML, a kohya_ss GUI JSON, a kohya command line in a text file, or an ai-toolkit YAML or JSON.

    A TOML's ``dataset_config`` is read as well when it lies where the file says, or beside it.

    Raises:
        BadInputError: the file cannot be read, or is none of these.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".toml":
        return from_kohya(_with_dataset(path, read_toml(path)))
    text = _text(path)
    if kind in (".yaml", ".yml"):
        return from_ai_toolkit(parse_yaml(text, path))
    if kind == ".json":
        return _from_json(text, path)
    script, settings = parse_arguments(text)
    return from_kohya(_with_dataset(path, settings), script)


def _from_json(text: str, path: Path) -> Settings:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadInputError(say("cli.no_json", path=path, why=error)) from error
    if isinstance(data, dict) and "config" in data:
        return from_ai_toolkit(data)
    if isinstance(data, dict) and any(mark in data for mark in _GUI_MARKS):
        return from_kohya(data)
    raise BadInputError(say("cli.no_configuration", name=path.name))


def parse_yaml(text: str, path: Path) -> Any:
    """YAML with plain values only (``safe_load``).

    Raises:
        BadInputError: it is not YAML, or PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise BadInputError(say("cli.no_yaml_library")) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = str(error).splitlines()[0]
        raise BadInputError(say("cli.no_yaml", path=path, where=where)) from error


def _with_dataset(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    named = next((s["dataset_config"] for s in (settings, *_tables(settings)) if s.get("dataset_config")), None)
    if named is None:
        return settings
    for place in (Path(str(named)), path.parent / Path(str(named)).name):
        if place.is_file() and place.suffix == ".toml":
            return {**settings, "_dataset": read_toml(place)}
    return settings


def _tables(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for value in settings.values() if isinstance(value, dict)]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(say("cli.file_closed", path=path, why=error)) from error
