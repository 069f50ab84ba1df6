"""Real photos against what a person sees in them; the measured agreement is printed (``pytest -s``)."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import real_photos
from real_photos import EXPECTED

from lora_train.audit.limits import DEFAULT_LIMITS as LIMITS
from lora_train.audit.people import flatten
from lora_train.dataset.photo import Photo, open_photo
from lora_train.faces.types import Face, FaceAnalyzer, People

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
_NEAR = 0.06
"""How far the middle of a found face may be from where a person sees it, in shares of the width."""


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    return real_photos.analyzer("faces", "body")


@dataclass
class Agreement:
    """Per finding: agreed, differed, not measured; and every difference in words."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, photo: str, expected: Any, seen: Any, right: bool | None) -> None:
        state = "not measured" if right is None else "agreed" if right else "differed"
        self.counts[what][state] += 1
        if not right:
            self.notes.append(f"  {what}: {photo} shows {expected}, {state} ({seen})")

    def share(self, what: str) -> float:
        """Agreed over everything that was measured."""
        c = self.counts[what]
        return c["agreed"] / max(1, c["agreed"] + c["differed"])

    def text(self) -> str:
        lines = [
            f"{what:<16} {c['agreed']:>3} of {sum(c.values())} agree, {c['differed']} differ, "
            f"{c['not measured']} not measured"
            for what, c in self.counts.items()
        ]
        return "\n".join([*lines, *self.notes])


@pytest.fixture(scope="module")
def looked(analyzer: FaceAnalyzer) -> dict[str, tuple[People, float]]:
    """Every photo of the table: what was seen, and in how many seconds of one core."""
    found = {}
    for name in EXPECTED["photos"]:
        image = open_photo(real_photos.photo(name), 1536)
        if not found:
            analyzer.look(image)
        start = time.process_time()
        found[name] = analyzer.look(image), time.process_time() - start
    return found


def _pairs(people: People, faces: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Face | None]]:
    """Each face of the table with the found face nearest to it."""
    out = []
    for one in faces:
        near = [f for f in people.faces if abs(f.middle[0] - one["x"]) <= _NEAR]
        out.append((one, min(near, key=lambda f: abs(f.middle[0] - one["x"]), default=None)))
    return out


def _eyes(face: Face, kind: str) -> bool | None:
    if face.eyes_open is None:
        return None
    closed = face.eyes_open < LIMITS.min_eyes_open
    return {"closed": closed, "open": face.eyes_open >= LIMITS.good_eyes_open, "narrow": not closed}[kind]


def _turn(face: Face, kind: str) -> bool | None:
    if face.yaw_deg is None:
        return None if face.measurable else kind == "profile"
    yaw = abs(face.yaw_deg)
    return {"front": yaw <= 22, "turned": 8 <= yaw <= 45, "profile": yaw >= 40}[kind]


def _light(face: Face, kind: str) -> bool | None:
    if face.shadow_stops is None:
        return None
    limits = {"even": (0, LIMITS.max_shadow_stops), "side": (1.2, 9), "split": (LIMITS.max_shadow_stops_reject, 99)}
    low, high = limits[kind]
    return low <= face.shadow_stops <= high


def agreement(looked: dict[str, tuple[People, float]]) -> Agreement:
    result = Agreement()
    for name, (people, _) in looked.items():
        expected = EXPECTED["photos"][name]
        result.add("faces counted", name, len(expected["faces"]), len(people.faces),
                   len(people.faces) == len(expected["faces"]))  # fmt: skip
        for one, face in _pairs(people, expected["faces"]):
            result.add("face found", name, f"a face at {one['x']}", face is not None, face is not None)
            if face is None:
                continue
            result.add("turned", name, one["turn"], face.yaw_deg, _turn(face, one["turn"]))
            if one["eyes"]:
                result.add(f"eyes {one['eyes']}", name, one["eyes"], face.eyes_open, _eyes(face, one["eyes"]))
            if one["smile"] in ("yes", "no"):
                smiles = None if face.smile is None else (face.smile >= 0.5) == (one["smile"] == "yes")
                result.add(f"smile {one['smile']}", name, one["smile"], face.smile, smiles)
            if one["light"]:
                result.add(f"light {one['light']}", name, one["light"], face.shadow_stops, _light(face, one["light"]))
            if one["cover"] != "object":
                covered = None if face.covered is None else (face.covered > LIMITS.max_covered)
                right = None if covered is None else covered == (one["cover"] == "sunglasses")
                result.add(f"covered {one['cover']}", name, one["cover"], face.covered, right)
            if face.pitch_deg is not None:
                below = -face.pitch_deg > LIMITS.max_chin_up_deg
                result.add("from below", name, expected["from_below"], face.pitch_deg, below == expected["from_below"])
    return result


def test_agreement_with_what_a_person_sees(
    looked: dict[str, tuple[People, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    result = agreement(looked)
    seconds = sorted(s for _, s in looked.values())
    with capsys.disabled():
        median_ms = seconds[len(seconds) // 2] * 1e3
        print(f"\n{len(looked)} photos, {median_ms:.0f} ms of one core each (median)\n{result.text()}")
    assert result.share("face found") == 1
    assert result.share("faces counted") == 1
    assert result.share("eyes closed") == 1 and result.counts["eyes closed"]["agreed"] >= 5
    assert result.share("eyes open") == 1
    assert result.share("turned") >= 0.9
    assert result.share("smile no") >= 0.9
    assert result.share("smile yes") >= 0.7
    assert result.share("light even") >= 0.9
    assert result.share("covered sunglasses") == 1 and result.share("covered none") == 1
    assert result.share("from below") >= 0.9


def test_other_things_have_no_faces(analyzer: FaceAnalyzer, looked: dict[str, tuple[People, float]]) -> None:
    empty = [n for n, p in EXPECTED["photos"].items() if not p["faces"]]
    assert empty and all(not looked[n][0].faces and looked[n][0].body is None for n in empty)


def test_no_face_is_only_sure_when_two_detectors_looked(
    analyzer: FaceAnalyzer, looked: dict[str, tuple[People, float]]
) -> None:
    """Things that the first detector half takes for faces: alone it doubts itself, dlib's settles it."""
    pytest.importorskip("dlib", reason="dlib is not installed")
    alone = replace(analyzer, second=None)  # type: ignore[type-var]
    for name in (n for n, p in EXPECTED["photos"].items() if not p["faces"]):
        image = open_photo(real_photos.photo(name), 1536)
        assert alone.look(image).faces == () and alone.look(image).faint > LIMITS.max_faint_face, name
        assert looked[name][0].faces == () and looked[name][0].faint == 0, name


def test_what_the_first_detector_misses_the_second_one_finds(analyzer: FaceAnalyzer) -> None:
    image = open_photo(real_photos.photo("flux_dev_checkpoint_example-1.webp"), 1536)
    pytest.importorskip("dlib", reason="dlib is not installed")
    blind = replace(analyzer)  # type: ignore[type-var]
    object.__setattr__(blind, "_detectors", (Blind(), Blind()))
    (face,) = blind.look(image).faces
    (seen,) = analyzer.look(image).faces
    assert not face.measurable and face.yaw_deg is None, "a box, and nothing that nobody measured"
    assert abs(face.middle[0] - seen.middle[0]) < _NEAR and abs(face.middle[1] - seen.middle[1]) < 2 * _NEAR


class Blind:
    """A detector that finds nothing."""

    def look(self, picture: object, square: object) -> list[object]:
        return []


def test_a_jump_is_a_full_length(looked: dict[str, tuple[People, float]]) -> None:
    photo = Photo(Path("jump.webp"), "ab" * 32, 400, 400, "WEBP")
    feet = {
        n: flatten(p, photo).get("feet_seen")
        for n, (p, _) in looked.items()
        if len(EXPECTED["photos"][n]["faces"]) == 1
    }
    assert feet["utility_sdpose_ood_image_to_pose-2.webp"] == 1
    assert {n for n, v in feet.items() if v} == {"utility_sdpose_ood_image_to_pose-2.webp"}, "no other shows its feet"


def test_bodies_belong_to_the_largest_face(looked: dict[str, tuple[People, float]]) -> None:
    for name, (people, _) in looked.items():
        if people.body is not None:
            left, top, right, bottom = people.body.box
            x, y = people.faces[0].middle
            assert left < x < right and top < y < bottom, name
            others = [f for f in people.faces[1:] if left < f.middle[0] < right and top < f.middle[1] < bottom]
            assert not others, name
    whole = looked["utility_sdpose_ood_image_to_pose-2.webp"][0].body
    assert whole is not None and whole.box[3] - whole.box[1] > 0.8


def test_hands_are_where_they_are_seen(looked: dict[str, tuple[People, float]]) -> None:
    """The man with his hands in the pockets: wrists at the height of the hips."""
    parts = looked["api_nano_banana_pro-1.webp"][0].body.parts  # type: ignore[union-attr]
    assert 0.55 < parts["left_wrist"][1] < 0.75 and 0.55 < parts["right_wrist"][1] < 0.75
    assert parts["left_hip"][1] < parts["left_knee"][1]


@pytest.mark.parametrize("name", ["sample6.jpg", "hidream_e1_1-1.webp"])
def test_the_file_is_only_read(name: str, analyzer: FaceAnalyzer) -> None:
    path: Path = real_photos.photo(name)
    before = path.read_bytes()
    analyzer.look(open_photo(path, 800))
    assert path.read_bytes() == before
