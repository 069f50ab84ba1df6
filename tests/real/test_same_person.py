"""dlib on real photos: who is who, and what is left of the audit without the other models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import real_photos

from lora_train.audit.identity import find_subject
from lora_train.audit.limits import DEFAULT_LIMITS as LIMITS
from lora_train.dataset.photo import open_photo
from lora_train.faces.dlib_faces import IDENTITY_FILE, POINTS_FILE, DlibAnalyzer, Identifier
from lora_train.faces.types import People

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("dlib", reason="dlib is not installed")
ONE_WOMAN = ("hidream_e1_1-1.webp", "hidream_e1_1-2.webp")
ONE_MAN = ("api_nano_banana_pro-1.webp", "api_nano_banana_pro-2.webp")
STRANGERS = ("astronaut.png", "flux_dev_checkpoint_example-1.webp", "gsl_creator_2-1.webp")


@pytest.fixture(scope="module")
def seen() -> dict[str, People]:
    analyzer = real_photos.analyzer("faces", "identity")
    assert "identity" in analyzer.measures
    names = (*ONE_WOMAN, *ONE_MAN, *STRANGERS)
    return {n: analyzer.look(open_photo(real_photos.photo(n), 1024)) for n in names}


def _gap(a: People, b: People) -> float:
    return float(np.linalg.norm(np.subtract(a.faces[0].identity, b.faces[0].identity)))  # type: ignore[arg-type]


def test_one_person_is_near_and_others_are_far(seen: dict[str, People]) -> None:
    assert _gap(seen[ONE_WOMAN[0]], seen[ONE_WOMAN[1]]) < 0.3
    assert _gap(seen[ONE_MAN[0]], seen[ONE_MAN[1]]) < LIMITS.sure_subject_distance  # one with sunglasses
    for name in STRANGERS:
        assert _gap(seen[ONE_WOMAN[0]], seen[name]) > 0.5 and _gap(seen[ONE_MAN[1]], seen[name]) > 0.5


def test_the_stranger_in_a_set_is_told(seen: dict[str, People]) -> None:
    """Three photos of one woman (one of them mirrored) and one of a man."""
    a, b = (seen[n] for n in ONE_WOMAN)
    analyzer = real_photos.analyzer("faces", "identity")
    mirrored = open_photo(real_photos.photo(ONE_WOMAN[0]), 1024).transpose(0)  # type: ignore[arg-type]
    subject = find_subject([a, seen[ONE_MAN[1]], b, analyzer.look(mirrored)])
    assert subject.judged and subject.photos == 3
    gaps = subject.distances
    assert gaps[1] is not None and gaps[1] > LIMITS.max_subject_distance
    assert all(g is not None and g < LIMITS.sure_subject_distance for g in (gaps[0], gaps[2], gaps[3]))


def test_dlib_alone_finds_faces_and_people(seen: dict[str, People]) -> None:
    folder: Path = real_photos.models("identity")
    alone = DlibAnalyzer(folder / POINTS_FILE, Identifier(folder / IDENTITY_FILE))
    found = {n: alone.look(open_photo(real_photos.photo(n), 1024)) for n in ONE_WOMAN}
    for name, people in found.items():
        (face,), (other,) = people.faces, seen[name].faces
        assert abs(face.middle[0] - other.middle[0]) < 0.05 and abs(face.middle[1] - other.middle[1]) < 0.08
        assert 0.7 < face.height / other.height < 1.4
        assert face.eyes_open is None and face.yaw_deg is None and face.smile is None
        assert _gap(people, replace(seen[name])) < 0.4  # aligned by other points
    assert _gap(found[ONE_WOMAN[0]], found[ONE_WOMAN[1]]) < 0.4
