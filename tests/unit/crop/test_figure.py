"""The rules of portraits: what is never cut, how much air, and which framing a photo has pixels for."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lora_train.crop.figure import CROWN, Figure
from lora_train.crop.framing import frame_all, frame_own, frame_subject
from lora_train.crop.geometry import Box, Extent
from lora_train.crop.subject import Subject
from lora_train.dataset.manifest import Crop

PHOTO = Extent(3000, 4000)


def standing(
    photo: Extent = PHOTO, face_px: float = 320, crown_y: float = 300, x: float = 1500, **more: object
) -> Subject:
    """A person 9.4 faces tall; what does not fit into the photo is not seen."""
    top, f = crown_y + CROWN * face_px, face_px
    end = min(crown_y + 9.4 * f, photo.height)
    face = shares(Box(x - 0.38 * f, top, x + 0.38 * f, top + f), photo)
    person = shares(Box(x - 1.5 * f, crown_y, x + 1.5 * f, end), photo)
    return Subject(person, True, face=face, person=person, **more)  # type: ignore[arg-type]


def shares(box: Box, photo: Extent) -> Box:
    return Box(
        max(0.0, box.left / photo.width), max(0.0, box.top / photo.height),
        min(1.0, box.right / photo.width), min(1.0, box.bottom / photo.height),
    )  # fmt: skip


def figure(subject: Subject, photo: Extent = PHOTO) -> Figure:
    found = Figure.of(photo, subject)
    assert found is not None
    return found


def holds(crop: Crop, box: Box, slack_px: float = 2) -> bool:
    left, top, right, bottom = crop.box
    return (
        left <= box.left + slack_px
        and top <= box.top + slack_px
        and right >= box.right - slack_px
        and bottom >= box.bottom - slack_px
    )


@pytest.mark.parametrize(
    ("face_px", "kind"),
    [(320, "full"), (380, "full"), (470, "half"), (800, "half"), (1000, "portrait"), (2200, "portrait")],
)
def test_the_longest_framing_that_the_photo_has(face_px: float, kind: str) -> None:
    assert frame_subject(PHOTO, standing(face_px=face_px), 512).kind == kind


@pytest.mark.parametrize("resolution_px", [96, 512, 1024])
def test_full_length_keeps_head_and_feet_with_a_little_air(resolution_px: int) -> None:
    subject = standing()
    crop = frame_subject(PHOTO, subject, resolution_px)
    body = figure(subject).person
    assert body is not None and crop.kind == "full"
    left, top, right, bottom = crop.box
    tall = body.extent.height
    assert body.top - top >= 0.05 * tall and bottom - body.bottom >= 0.03 * tall
    assert bottom - top < 1.35 * tall


def test_portrait_has_head_room_and_eyes_at_two_fifths() -> None:
    subject = standing(face_px=500, crown_y=1000)
    crop = frame_subject(PHOTO, subject, 512, "portrait")
    who = figure(subject)
    left, top, right, bottom = crop.box
    height = bottom - top
    assert crop.kind == "portrait"
    assert 0.2 <= (who.crown - top) / who.unit <= 0.5
    assert 0.36 <= (who.eyes_y - top) / height <= 0.44
    assert 2.5 <= height / who.unit <= 3.3
    assert min(who.face.left - left, right - who.face.right) >= 0.4 * who.face.extent.width


def test_half_length_ends_between_waist_and_knee() -> None:
    subject = standing(face_px=320)
    crop = frame_subject(PHOTO, subject, 512, "half")
    who = figure(subject)
    assert crop.kind == "half"
    assert 4.2 <= (crop.box[3] - who.crown) / who.unit <= 6.6


def test_a_framing_that_the_photo_lacks_gives_the_next_shorter_one() -> None:
    assert frame_subject(PHOTO, standing(face_px=800), 512, "full").kind == "half"
    assert frame_subject(PHOTO, standing(face_px=1200), 512, "full").kind == "portrait"


def test_cut_does_not_fall_on_a_joint() -> None:
    plain = standing(face_px=320)
    f, crown = 320, 300
    for joint in (5.0, 5.2, 5.4, 5.6):  # hips and wrists of different people
        y = (crown + joint * f) / PHOTO.height
        subject = dataclasses.replace(plain, joints={"left_wrist": (0.4, y), "left_ankle": (0.5, 0.8)})
        bottom = frame_subject(PHOTO, subject, 512, "half").box[3]
        assert abs(bottom - (crown + joint * f)) >= 0.18 * f


def test_feet_are_known_by_the_ankles_where_they_are_seen() -> None:
    subject = standing(face_px=500)  # the person reaches the lower edge
    assert not figure(subject).has_feet
    sitting = dataclasses.replace(subject, joints={"left_ankle": (0.5, 0.9), "right_knee": (0.6, 0.7)})
    assert figure(sitting).has_feet
    assert not figure(dataclasses.replace(standing(), joints={"left_hip": (0.5, 0.6)})).has_feet


def test_room_is_on_the_side_that_the_face_looks_to() -> None:
    left = frame_subject(PHOTO, standing(face_px=400, crown_y=800, yaw_deg=35.0), 512, "portrait").box
    right = frame_subject(PHOTO, standing(face_px=400, crown_y=800, yaw_deg=-35.0), 512, "portrait").box
    ahead = frame_subject(PHOTO, standing(face_px=400, crown_y=800), 512, "portrait").box
    middle = [(box[0] + box[2]) / 2 for box in (left, ahead, right)]
    assert middle[0] < middle[1] - 10 and middle[2] > middle[1] + 10


def test_another_face_is_kept_out_where_that_is_possible() -> None:
    other = shares(Box(1790, 820, 1960, 1050), PHOTO)
    alone = frame_subject(PHOTO, standing(face_px=400, crown_y=700), 512, "portrait").box
    beside = frame_subject(PHOTO, standing(face_px=400, crown_y=700, others=(other,)), 512, "portrait").box
    assert alone[2] > 1900  # the wide crop would show it
    inside = Box(*beside).overlap(other.stretched(PHOTO)).area / other.stretched(PHOTO).area
    assert inside < 0.15


def test_several_crops_are_different_pictures_of_one_photo() -> None:
    crops = frame_all(PHOTO, standing(), 512, most=3)
    assert [c.kind for c in crops] == ["full", "portrait", "half"]
    assert [c.kind for c in frame_all(PHOTO, standing(), 512, most=2)] == ["full", "portrait"]
    assert len(frame_all(PHOTO, standing(face_px=2000), 512, most=3)) == 1


def test_further_crops_are_never_enlarged_beyond_the_limit() -> None:
    small = Extent(750, 1000)
    crops = frame_all(small, standing(small, 80, 75, 375), 1024, most=3)
    assert len(crops) == 1 and crops[0].upscale > 1.2
    assert all(c.upscale <= 1.26 for c in frame_all(PHOTO, standing(), 1024, most=3)[1:])


def test_a_person_from_behind_is_framed_whole() -> None:
    person = Box(0.4, 0.2, 0.55, 0.9)
    crop = frame_subject(PHOTO, Subject(person, True, person=person), 512)
    assert crop.kind == "full" and holds(crop, person.stretched(PHOTO))


def test_own_box_is_grown_to_its_bucket_and_kept_inside() -> None:
    crop = frame_own(PHOTO, Box(1000, 1000, 1500, 1480), 512)
    assert crop.kind == "own" and crop.bucket == (512, 512)
    assert holds(crop, Box(1000, 1000, 1500, 1480))
    left, top, right, bottom = frame_own(PHOTO, Box(0, 0, 3000, 4000), 512).box
    assert 0 <= left < right <= 3000 and 0 <= top < bottom <= 4000


@given(
    st.integers(300, 6000), st.integers(300, 6000), st.floats(0.05, 0.95), st.floats(0.0, 0.6),
    st.floats(0.03, 0.9), st.sampled_from([96, 512, 1024]), st.sampled_from(["auto", "portrait", "half", "full"]),
)  # fmt: skip
def test_whatever_the_photo_the_head_stays_whole(
    width: int, height: int, x: float, y: float, size: float, resolution_px: int, framing: str
) -> None:
    photo = Extent(width, height)
    subject = standing(photo, size * height, y * height, x * width)
    head = figure(subject, photo).head.overlap(Box.whole(photo))
    # A head wider or taller than any bucket of this photo cannot stay whole.
    assume(head.extent.width < 0.45 * min(width, height) and head.extent.height < 0.45 * min(width, height))
    for crop in frame_all(photo, subject, resolution_px, framing, 3):  # type: ignore[arg-type]
        left, top, right, bottom = crop.box
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert holds(crop, head)
        aspect = crop.bucket[0] / crop.bucket[1]
        assert (right - left - 1) / (bottom - top + 1) <= aspect <= (right - left + 1) / max(1, bottom - top - 1)


def test_hair_and_hats_belong_to_the_head_and_raised_arms_do_not() -> None:
    plain = standing(face_px=500, crown_y=1000)
    assert plain.person is not None

    def top(raised: float) -> int:
        person = dataclasses.replace(plain.person, top=plain.person.top - raised * 500 / PHOTO.height)  # type: ignore[type-var, union-attr]
        return frame_subject(PHOTO, dataclasses.replace(plain, person=person), 512, "portrait").box[1]

    assert top(0.6) < 1000 - 0.6 * 500  # the hat is whole
    assert top(2.0) == top(0.0)


def test_a_small_photo_is_kept_whole_before_it_is_enlarged_more() -> None:
    small = Extent(400, 400)
    crop = frame_subject(small, standing(small, 60, 90, 190), 512)
    assert crop.bucket == (512, 512) and crop.box == (0, 0, 400, 400)
