"""People as scores, the distance of the camera, the cache, and who the set is about."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lora_train.audit.identity import find_subject
from lora_train.audit.people import distance_m, flatten, look_at, nose_over_median
from lora_train.dataset.photo import Photo
from lora_train.faces.types import Background, Body, Face, Part, People

PHOTO = Photo(Path("a.jpg"), "ab" * 32, 3000, 4000, "JPEG", focal_35mm=50.0)
FACE = Face((0.4, 0.2, 0.6, 0.4), 0.9, yaw_deg=-12.0, pitch_deg=-20.0, eyes_open=0.3, nose_ratio=0.28,
            eyes=((0.45, 0.28), (0.55, 0.28)))  # fmt: skip


def people(*faces: Face, **more: object) -> People:
    return People("made", faces, **more)  # type: ignore[arg-type]


def test_scores_of_the_main_face() -> None:
    s = flatten(people(FACE), PHOTO)
    assert s["faces"] == 1 and s["face_share"] == pytest.approx(0.2) and s["face_px"] == pytest.approx(800)
    assert s["yaw_deg"] == -12 and s["yaw_abs_deg"] == 12 and s["chin_up_deg"] == 20 and s["eyes_open"] == 0.3


def test_what_was_not_measured_is_missing() -> None:
    s = flatten(people(Face((0.1, 0.1, 0.2, 0.2), 0.8, measurable=False)), PHOTO)
    assert not {"eyes_open", "yaw_deg", "smile", "covered", "distance_m", "person_height", "background_edges"} & set(s)
    assert flatten(people(), PHOTO) == {"faces": 0.0, "faces_all": 0.0, "face_faint": 0.0}
    assert flatten(people(faint=0.47), PHOTO)["face_faint"] == 0.47


@pytest.mark.parametrize(
    ("left", "right", "seen"),
    [
        ((0.4, 0.9, 0.9), (0.5, 0.95, 0.6), 1),
        ((0.4, 0.9, 0.9), (0.5, 1.08, 0.6), 0),
        ((0.4, 0.9, 0.3), (0.5, 0.9, 0.9), 0),
    ],
)  # fmt: skip
def test_feet_are_seen_when_both_ankles_are_in_the_photo(left: Part, right: Part, seen: int) -> None:
    parts = {"left_ankle": left, "right_ankle": right}
    assert flatten(people(FACE, body=Body((0.3, 0.1, 0.7, 1.0), 0.3, parts)), PHOTO)["feet_seen"] == seen
    assert "feet_seen" not in flatten(people(FACE, body=Body((0.3, 0.1, 0.7, 1.0), 0.3)), PHOTO)


def test_a_detector_that_misses_some_proves_no_absence() -> None:
    assert flatten(people(sees_all=False), PHOTO) == {}
    assert flatten(people(FACE, sees_all=False), PHOTO)["faces"] == 1


def test_passers_by_are_no_company() -> None:
    small, large = Face((0.1, 0.1, 0.12, 0.13), 0.8), Face((0.7, 0.2, 0.85, 0.35), 0.9)
    s = flatten(people(FACE, large, small), PHOTO)
    assert s["faces"] == 2 and s["faces_all"] == 3


def test_scores_can_be_of_another_face() -> None:
    other = replace(FACE, box=(0.7, 0.2, 0.8, 0.3), eyes_open=0.1)
    body = Body((0.3, 0.1, 0.7, 1.0), 0.3)
    first = flatten(people(FACE, other, body=body, background=Background(0.1, 3.0)), PHOTO)
    second = flatten(people(FACE, other, body=body), PHOTO, 1)
    assert first["person_height"] == pytest.approx(0.9) and first["background_colours"] == 3.0
    assert second["eyes_open"] == 0.1 and "person_height" not in second


def test_distance_from_lens_and_eyes() -> None:
    """50 mm on full frame sees 43.27 / 50 of the distance: eyes 300 of 5000 px apart are 1.21 m away."""
    assert distance_m(FACE, PHOTO) == pytest.approx(0.063 * 50 / 43.27 * 5000 / 300 * np.cos(np.radians(12)), rel=1e-3)
    near, wide = replace(PHOTO, focal_35mm=24.0), replace(FACE, eyes=((0.3, 0.3), (0.7, 0.3)))
    assert distance_m(wide, near) < 0.3 < distance_m(FACE, near) < distance_m(FACE, PHOTO)  # type: ignore[operator]


@pytest.mark.parametrize("change", [{"focal_35mm": None}, {"height_px": 3000}, {"width_px": 1000}])
def test_no_distance_without_lens_or_of_a_cut_photo(change: dict[str, object]) -> None:
    assert distance_m(FACE, replace(PHOTO, **change)) is None  # type: ignore[arg-type]
    assert distance_m(replace(FACE, eyes=None), PHOTO) is None


def test_noses_are_compared_with_ones_own() -> None:
    rows = [{"nose_ratio": r, "yaw_abs_deg": 5.0} for r in (0.25, 0.25, 0.26, 0.25, 0.30)]
    rows += [{"nose_ratio": 0.4, "yaw_abs_deg": 40.0}, {}]
    found = nose_over_median(rows)
    assert found[4] == pytest.approx(1.2) and found[5] is None and found[6] is None
    assert nose_over_median(rows[:4]) == [None] * 4


@dataclass
class Counting:
    id: str = "counting/1"
    title: str = "counts"
    measures: frozenset[str] = frozenset()
    looked: int = 0

    def look(self, image: Image.Image) -> People:
        self.looked += 1
        body = Body((0, 0, 1, 1), 0.5, {"nose": (0.5, 0.3, 0.9)})
        return People(self.id, (replace(FACE, identity=(0.5,) * 3),), body)


def test_a_photo_is_looked_at_once_per_analyzer(tmp_path: Path) -> None:
    image, analyzer = Image.new("RGB", (30, 40)), Counting()
    first = look_at(PHOTO, analyzer, image, tmp_path)
    assert look_at(PHOTO, analyzer, image, tmp_path) == first and analyzer.looked == 1
    assert first.faces[0].identity == (0.5, 0.5, 0.5) and first.body is not None
    look_at(PHOTO, Counting("other"), image, tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == 2
    for file in tmp_path.rglob("*.json"):
        file.write_text("{broken")
    assert look_at(PHOTO, analyzer, image, tmp_path) == first and analyzer.looked == 2


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert look_at(PHOTO, Counting(), Image.new("RGB", (9, 9)), blocked).faces


RNG = np.random.default_rng(3)
MAIN, OTHER = (v / np.linalg.norm(v) for v in RNG.normal(size=(2, 128)))


def someone(vector: np.ndarray, spread: float = 0.02) -> Face:
    return replace(FACE, identity=tuple(float(v) for v in vector + RNG.normal(size=128) * spread))


def test_the_person_of_most_photos() -> None:
    photos = [people(someone(MAIN)) for _ in range(5)]
    photos.insert(2, people(someone(OTHER)))
    photos.append(people(someone(OTHER), someone(MAIN)))
    subject = find_subject([*photos, None, people()])
    assert subject.judged and subject.photos == 6
    assert subject.faces == (0, 0, 0, 0, 0, 0, 1, None, None)
    gaps = subject.distances
    assert gaps[2] is not None and gaps[2] > 0.6 and gaps[7] is None
    assert all(g is not None and g < 0.5 for i, g in enumerate(gaps[:7]) if i != 2)


def test_a_pair_in_one_photo_does_not_count_twice() -> None:
    """Two people who are in the same photos: the one who is in more of them."""
    both = [people(someone(OTHER), someone(MAIN)) for _ in range(3)]
    subject = find_subject([*both, people(someone(MAIN))])
    assert subject.judged and subject.faces == (1, 1, 1, 0)


def test_no_person_is_in_most_photos() -> None:
    strangers = [people(someone(v / np.linalg.norm(v))) for v in RNG.normal(size=(6, 128))]
    assert not find_subject(strangers).judged and find_subject(strangers).distances == (None,) * 6
    assert "No person" in find_subject(strangers).text
    assert not find_subject([people(someone(MAIN)), people(someone(MAIN))]).judged
    assert not find_subject([]).judged and not find_subject([people(FACE)] * 4).judged


def test_hundreds_of_photos_are_quick() -> None:
    photos = [people(someone(MAIN if i % 4 else OTHER)) for i in range(600)]
    start = time.process_time()
    assert find_subject(photos).photos == 450
    assert time.process_time() - start < 2
