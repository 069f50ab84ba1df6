"""Faces and bodies in photos: who is there, where, and how they look into the camera."""

from __future__ import annotations

from .registry import analyzers, best_analyzer, second_look
from .types import Background, Body, Face, FaceAnalyzer, People, Status

__all__ = [
    "Background",
    "Body",
    "Face",
    "FaceAnalyzer",
    "People",
    "Status",
    "analyzers",
    "best_analyzer",
    "second_look",
]
