"""Whether eyes are open: the lids' outline from MediaPipe's iris model (Ablavatski et al. 2020).

Gap over width as in Soukupova & Cech, "Real-time eye blink detection" (CVWW 2016), but on the iris
model's lids: on the test photos closed eyes read 0.08 to 0.16 and open ones from 0.25, while the
same formula on the 468-point mesh or on dlib's 68 points does not tell them apart.
"""

from __future__ import annotations

import numpy as np

from .mesh import LEFT_EYE, RIGHT_EYE, Mesh
from .raster import Picture, Square, line_angle
from .runtime import Network

_ROOM = 2.3
_PAIRS = 5
"""Of seven pairs of lid points the middle ones; the outer two are close together in every eye."""


def open_share(network: Network, picture: Picture, mesh: Mesh) -> tuple[float, float]:
    """Lid gap over eye width of the eye on the left and on the right of the image."""
    left = _lid_gap(network, picture, mesh.points[list(LEFT_EYE), :2], mirror=True)
    right = _lid_gap(network, picture, mesh.points[list(RIGHT_EYE), :2], mirror=False)
    return left, right


def _lid_gap(network: Network, picture: Picture, corners: np.ndarray, mirror: bool) -> float:
    """The network knows the eye on the right of the image; the other one is shown to it mirrored."""
    centre = corners.mean(axis=0)
    side = _ROOM * float(np.linalg.norm(corners[1] - corners[0]))
    square = Square(float(centre[0]), float(centre[1]), side, line_angle(corners[0], corners[1]))
    pixels = picture.cut(square, network.size_px, mirror).astype(np.float32) / 255
    outline = max(network(pixels), key=lambda o: o.size).reshape(-1, 3)[:16, :2]
    return lid_gap(outline)


def lid_gap(outline: np.ndarray) -> float:
    """From (16, 2) points: corners 0 and 8, lower lid 1 to 7, upper lid 9 to 15."""
    lower, upper = outline[1:8], outline[9:16]
    skip = (7 - _PAIRS) // 2
    gaps = np.linalg.norm(upper - lower, axis=1)[skip : 7 - skip]
    return float(gaps.mean() / max(1e-6, float(np.linalg.norm(outline[8] - outline[0]))))
