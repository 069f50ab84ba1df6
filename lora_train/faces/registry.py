"""Which analyzers there are, which of them can be used here, and what to do about the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..say import say
from . import dlib_faces, insightface_faces, mediapipe
from .models import find_set, model_set, next_step
from .runtime import runtime_missing
from .types import FaceAnalyzer, Status


@dataclass(frozen=True)
class Backend:
    """``make`` returns an analyzer, or why there is none; ``wants`` says what would make it better."""

    id: str
    title: str
    make: Callable[[Path | None], FaceAnalyzer | str]
    wants: Callable[[Path | None], str] = lambda models: ""


def best_analyzer(models: Path | None = None) -> FaceAnalyzer | None:
    """The first backend of :data:`BACKENDS` that can be used; None where none can.

    Args:
        models: the host's folder of models, looked into before Lorasmith's own. Nothing is fetched.
    """
    for backend in BACKENDS:
        made = backend.make(models)
        if not isinstance(made, str):
            return made
    return None


def analyzers(models: Path | None = None) -> tuple[Status, ...]:
    """The state of every backend, the best one first."""
    found = []
    for backend in BACKENDS:
        made = backend.make(models)
        if isinstance(made, str):
            found.append(Status(backend.id, backend.title, False, made))
        else:
            found.append(Status(backend.id, made.title, True, backend.wants(models)))
    return tuple(found)


def second_look() -> FaceAnalyzer | None:
    """Who looks again where another detector found no face: dlib's, which needs no file; None without dlib."""
    return None if dlib_faces.dlib_missing() else dlib_faces.DlibAnalyzer()


def identifier(models: Path | None = None) -> dlib_faces.Identifier | str:
    """What tells people apart, or why there is nothing that can."""
    if missing := dlib_faces.dlib_missing():
        return missing
    weights = find_set(model_set("identity"), models).get(dlib_faces.IDENTITY_FILE)
    return dlib_faces.Identifier(weights) if weights else next_step(model_set("identity"))


def _mediapipe(models: Path | None) -> FaceAnalyzer | str:
    if missing := runtime_missing():
        return missing
    found = {**find_set(model_set("faces"), models), **find_set(model_set("body"), models)}
    if any(name not in found for name in mediapipe.NAMES.values()):
        return next_step(model_set("faces"))
    files = {k: found[v] for k, v in {**mediapipe.NAMES, **mediapipe.EXTRAS}.items() if v in found}
    who = identifier(models)
    return mediapipe.MediaPipeAnalyzer(files, None if isinstance(who, str) else who, second_look())


def _mediapipe_wants(models: Path | None) -> str:
    body = model_set("body")
    parts = [] if len(find_set(body, models)) == len(body.files) else [next_step(body)]
    who = identifier(models)
    return " ".join([*parts, *([who] if isinstance(who, str) else [])])


def _insightface(models: Path | None) -> FaceAnalyzer | str:
    found = insightface_faces.installed(models)
    if found is None:
        return say("faces.no_insightface")
    return insightface_faces.InsightFaceAnalyzer(*found)


def _dlib(models: Path | None) -> FaceAnalyzer | str:
    if missing := dlib_faces.dlib_missing():
        return missing
    found, who = find_set(model_set("identity"), models), identifier(models)
    if isinstance(who, str) or dlib_faces.POINTS_FILE not in found:
        return dlib_faces.DlibAnalyzer()
    return dlib_faces.DlibAnalyzer(found[dlib_faces.POINTS_FILE], who)


def _dlib_wants(models: Path | None) -> str:
    who = identifier(models)
    more = [who] if isinstance(who, str) else []
    return " ".join([say("faces.dlib_lacks"), next_step(model_set("faces")), *more])


BACKENDS: tuple[Backend, ...] = (
    Backend("mediapipe", "MediaPipe faces", _mediapipe, _mediapipe_wants),
    Backend("insightface", "insightface", _insightface,
            lambda models: " ".join([say("faces.insightface_lacks"), next_step(model_set("faces"))])),
    Backend("dlib", "dlib faces", _dlib, _dlib_wants),
)  # fmt: skip
"""In the order in which :func:`best_analyzer` tries them."""
