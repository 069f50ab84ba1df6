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


def analyzer_of(face_landmarker: Any = None) -> Any:
    """Who looks for faces: ComfyUI's landmarker where one is wired, else the best that is installed, or None."""
    from ..lora_train.faces import best_analyzer, second_look

    if face_landmarker is None:
        return best_analyzer(host.audit_model_folder())
    from ..lora_train.faces.landmarks import LandmarkAnalyzer

    return LandmarkAnalyzer(host.face_detector(face_landmarker), second_look())


def who_looks() -> str:
    """Names the models that look at people now, so that a run after one was fetched does not take the old answer."""
    analyzer = analyzer_of()
    return "nobody" if analyzer is None else analyzer.id


def judge_photos(
    dataset: Any,
    overrides: str = "",
    purpose: str = "character",
    clip_model: str = "",
    face_landmarker: Any = None,
    **limits: float,
) -> tuple[Any, Any]:
    """The dataset with verdicts and the user's own decisions, and which decision fell on which photo.

    Args:
        overrides: the decisions as text, see :mod:`..lora_train.dataset.overrides`.
        clip_model: file name of open_clip weights in ComfyUI's folder; empty: questions in words are not asked.
        face_landmarker: ComfyUI's own loaded one, to look for faces in the place of the pack's.
        limits: 0 means the usual one.
    """
    from ..lora_train.audit import audit, load_tagger
    from ..lora_train.audit.limits import DEFAULT_LIMITS
    from ..lora_train.dataset.overrides import Overrides

    found = dataset.scanned()
    matched = Overrides.from_text(overrides).for_photos(found.photos)
    judged = audit(
        found,
        DEFAULT_LIMITS.replace(**{name: value for name, value in limits.items() if value}),
        host.HostObserver(),
        analyzer=analyzer_of(face_landmarker),
        tagger=load_tagger(host.audit_model_folder() / clip_model) if clip_model else None,
        purpose=purpose,
        overrides=matched.verdicts,
    )
    readable = {entry.name for entry in judged.entries}
    return judged.override(boxes={n: box for n, box in matched.crops.items() if n in readable}), matched
