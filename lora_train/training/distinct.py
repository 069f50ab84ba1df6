"""How many distinct photos a set is worth: thirty of one afternoon count as a few."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BadInputError
from ..say import say

if TYPE_CHECKING:
    import numpy as np

    from ..dataset.manifest import Dataset


@dataclass(frozen=True)
class Distinct:
    """``value`` of ``photos`` count as distinct, from 1 to ``photos``; ``how`` they were compared."""

    value: float
    photos: int
    how: str


def distinct_by_embeddings(embeddings: np.ndarray, photos: int, unrelated_cosine: float) -> Distinct:
    """Vendi score (Friedman & Dieng 2022) of unit vectors (n, d), at least one row.

    K = max(0, (cos - c0) / (1 - c0)) with c0 = ``unrelated_cosine``, from which downwards two photos
    count as fully distinct; VS = exp(-sum l ln l) over the eigenvalues l of K / n.

    Raises:
        BadInputError: not one finite row for each of ``photos``.
    """
    import numpy as np

    x = np.asarray(embeddings, dtype=np.float64)
    if x.ndim != 2 or len(x) != photos or not np.isfinite(x).all():
        raise BadInputError(say("plan.embeddings_shape", shape=x.shape, photos=photos))
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    kernel = np.clip((x @ x.T - unrelated_cosine) / (1 - unrelated_cosine), 0, 1)  # (n, n)
    np.fill_diagonal(kernel, 1.0)
    values = np.clip(np.linalg.eigvalsh(kernel / photos), 0, None)
    values = values[values > 1e-12] / values.sum()
    return Distinct(float(np.exp(-(values * np.log(values)).sum())), photos, say("plan.by_embedding"))


def count_distinct(dataset: Dataset) -> Distinct:
    """The same from the groups that the audit found: exp of the entropy of the group sizes.

    An upper bound: photos that no group holds count as fully distinct.
    """
    import math

    label = {name: f"group {g.id}" for g in dataset.groups for name in g.members}
    sizes = Counter(label.get(e.name, e.name) for e in dataset.kept)
    total = sum(sizes.values())
    if not total:
        return Distinct(0.0, 0, say("plan.no_photos"))
    entropy = -sum(s / total * math.log(s / total) for s in sizes.values())
    return Distinct(math.exp(entropy), total, say("plan.by_look"))
