"""The steps from a folder to a judged dataset, with ComfyUI watching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import _host as host


def read_photos(folder: Path) -> Any:
    """Every readable photo of a folder as a dataset; nothing is judged yet."""
    from ..lora_train.dataset.manifest import Dataset
    from ..lora_train.dataset.scan import scan

    return Dataset.of(scan(folder, host.HostObserver()))


def judge_photos(dataset: Any, **limits: float) -> Any:
    """The dataset with verdicts. A limit of 0 means the usual one."""
    from ..lora_train.audit import audit
    from ..lora_train.audit.limits import DEFAULT_LIMITS
    from ..lora_train.dataset.scan import Scan

    photos = tuple(entry.photo for entry in dataset.entries)
    chosen = DEFAULT_LIMITS.replace(**{name: value for name, value in limits.items() if value})
    return audit(Scan(dataset.folder, photos, dataset.unreadable), chosen, host.HostObserver())
