"""Take the person out of an embedding, so that what is left is the moment: place, clothes, pose, framing.

A LoRA of one person is meant to draw one person, while the base model draws a different one each time.
Their variety can only be compared without that difference. The answers to the identity questions
("red hair", "black hair", ...) span the directions in which the embedder tells people apart; pictures
are projected onto what is orthogonal to them (as in Bolukbasi et al. 2016, section 6, for words).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .embed import Embeds, answer_vectors
from .questions import Question

_NOISE = 0.1
"""Directions with a singular value below this share of the largest are chance."""


def identity_directions(embedder: Embeds, questions: Sequence[Question]) -> np.ndarray:
    """(k, d) orthonormal rows, k may be 0: how the answers of each identity question differ."""
    spreads = []
    for question in questions:
        if question.identity:
            answers = answer_vectors(embedder, question.prompts)
            spreads.append(answers - answers.mean(axis=0))
    if not spreads:
        return np.zeros((0, 1))
    _, sizes, rows = np.linalg.svd(np.concatenate(spreads), full_matrices=False)
    return rows[sizes > max(_NOISE * sizes[0], 1e-6)]


def without(rows: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Unit rows (n, d) projected off ``directions`` (k, d) and scaled to length 1 again."""
    if not len(directions):
        return rows
    rest = rows - (rows @ directions.T) @ directions
    return rest / np.linalg.norm(rest, axis=1, keepdims=True).clip(1e-9)
