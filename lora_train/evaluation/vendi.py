"""The Vendi score: how many different pictures a set is worth (Friedman & Dieng 2022)."""

from __future__ import annotations

import numpy as np


def vendi(kernel: np.ndarray) -> float:
    """exp of the entropy of the eigenvalues of K / n (eq. 1 of the paper), between 1 and n.

    Args:
        kernel: (n, n) symmetric similarities with ones on the diagonal. Clipping can leave it slightly
            indefinite: negative eigenvalues count as 0 and the rest is scaled back to sum to 1.

    Returns:
        The effective number of distinct items; 0.0 for an empty kernel.
    """
    n = len(kernel)
    if n == 0:
        return 0.0
    weights = np.clip(np.linalg.eigvalsh(np.asarray(kernel, dtype=np.float64) / n), 0.0, None)
    weights = weights[weights > 1e-12] / weights.sum()
    return float(np.exp(-(weights * np.log(weights)).sum()))


def rescaled_kernel(embeddings: np.ndarray, unrelated_cosine: float) -> np.ndarray:
    """max(0, (c - c0) / (1 - c0)) for all pairs of unit rows, (n, d) -> (n, n).

    Raw CLIP cosines are squeezed into a narrow band; ``unrelated_cosine`` (c0) is the mean cosine of
    unrelated pictures in the same model, which counts as "nothing in common" here.
    """
    cosines = embeddings @ embeddings.T
    kernel = np.clip((cosines - unrelated_cosine) / (1.0 - unrelated_cosine), 0.0, 1.0)
    np.fill_diagonal(kernel, 1.0)
    return kernel


def vendi_of(embeddings: np.ndarray, unrelated_cosine: float = 0.0) -> float:
    """:func:`vendi` of the rescaled cosine kernel of unit rows (n, d)."""
    return vendi(rescaled_kernel(embeddings, unrelated_cosine))
