"""What insightface reports, read with its own conventions; its models are for research only, so none is run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lora_train.faces import insightface_faces as module
from lora_train.faces.insightface_faces import InsightFaceAnalyzer, face_of, installed


class Reported(dict):  # type: ignore[type-arg]
    """As its Face: a dictionary whose keys are attributes too."""

    __getattr__ = dict.__getitem__


# bbox, five points and pose as the package's arrays are: float32, pixels, degrees (pitch, yaw, roll).
RECORDED = Reported(
    bbox=np.array([300.0, 96.0, 500.0, 352.0], np.float32),
    kps=np.array([[360, 200], [440, 208], [404, 250], [370, 300], [436, 306]], np.float32),
    det_score=np.float32(0.87),
    pose=np.array([12.0, 20.0, 5.7], np.float32),
)


def test_sizes_become_shares_and_signs_become_ours() -> None:
    face = face_of(RECORDED, 800, 640)
    assert face.box == pytest.approx((0.375, 0.15, 0.625, 0.55)) and face.confidence == pytest.approx(0.87)
    assert face.yaw_deg == -20, "turned to the right of the image; ours is positive to the left"
    assert face.pitch_deg == -12, "chin up; ours is positive with the chin down"
    assert face.roll_deg == pytest.approx(5.7), "the eye on the right of the image is lower, as the points say"
    (left, right) = face.eyes  # type: ignore[misc]
    assert left == pytest.approx((0.45, 0.3125)) and right == pytest.approx((0.55, 0.325)) and right[1] > left[1]
    assert face.eyes_open is None and face.identity is None, "what it does not measure is not judged"


def test_a_pack_without_the_3d_points_tells_no_pose() -> None:
    face = face_of(Reported({k: v for k, v in RECORDED.items() if k != "pose"}), 800, 640)
    assert (face.yaw_deg, face.pitch_deg, face.roll_deg) == (None, None, None) and face.box[0] == 0.375


def test_boxes_beyond_the_picture_end_at_its_border_and_the_largest_face_is_first(tmp_path: Path) -> None:
    large = Reported(RECORDED, bbox=np.array([-50.0, -20.0, 900.0, 700.0], np.float32))
    seen: list[np.ndarray] = []

    class App:
        def get(self, pixels: np.ndarray) -> list[Any]:
            seen.append(pixels)
            return [RECORDED, large]

    analyzer = InsightFaceAnalyzer(tmp_path, "buffalo_l")
    object.__setattr__(analyzer, "_app", App())
    people = analyzer.look(Image.new("RGB", (800, 640), (200, 10, 30)))
    assert people.faces[0].box == (0.0, 0.0, 1.0, 1.0) and people.faces[1].box[0] == pytest.approx(0.375)
    assert seen[0][0, 0].tolist() == [30, 10, 200] and seen[0].flags.c_contiguous, "it reads blue first"


def test_it_is_used_only_where_package_and_models_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    assert installed() is None and installed(tmp_path / "host") is None
    for root, pack in (
        (tmp_path / "home" / ".insightface", "buffalo_s"),
        (tmp_path / "host" / "insightface", "antelopev2"),
    ):
        (root / "models" / pack).mkdir(parents=True)
        (root / "models" / pack / "det.onnx").write_bytes(b"")
    assert installed() == (tmp_path / "home" / ".insightface", "buffalo_s")
    assert installed(tmp_path / "host") == (tmp_path / "host" / "insightface", "antelopev2")
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "onnxruntime" else object())
    assert installed() is None, "the models alone run nothing"
