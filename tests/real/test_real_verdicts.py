"""Check Diversity on real photos: one person in varied pictures, one picture many times, and a mix of people.

Everything real runs: the face networks, dlib, and the default embedder. Only six photos show a person twice (two
women's and two men's pictures), so varied ones are those photos cut, mirrored and lit otherwise.
"""

from __future__ import annotations

import numpy as np
import pytest
import real_photos
from PIL import Image, ImageEnhance, ImageOps

from lora_train.dataset.photo import open_photo
from lora_train.evaluation.bench import likenesses
from lora_train.evaluation.diversity import judge_diversity
from lora_train.evaluation.embed import starter_embedder
from lora_train.evaluation.verdict import DiversityReport

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
pytest.importorskip("dlib", reason="dlib is not installed")
pytest.importorskip("open_clip", reason="open_clip is not installed")
WOMAN = ("hidream_e1_1-1.webp", "hidream_e1_1-2.webp")
STRANGERS = ("astronaut.png", "flux_dev_checkpoint_example-1.webp", "gsl_creator_2-1.webp",
             "api_nano_banana_pro-1.webp", "sd3.5_simple_example-1.webp", "image_flux2-1.webp")  # fmt: skip


def photo(name: str) -> Image.Image:
    return open_photo(real_photos.photo(name), 768)


def cut(image: Image.Image) -> Image.Image:
    return image.crop((round(0.06 * image.width), 0, image.width, round(0.95 * image.height)))


def woman() -> tuple[list[Image.Image], list[Image.Image]]:
    """Her training photos, and four pictures of her that are none of them."""
    one, two = (photo(n) for n in WOMAN)
    photos = [change(image) for image in (one, two) for change in (lambda i: i, ImageOps.mirror, cut)]
    made = [ImageEnhance.Brightness(cut(one)).enhance(1.25), ImageEnhance.Color(two).enhance(0.4),
            ImageOps.mirror(cut(two)), ImageEnhance.Contrast(ImageOps.mirror(one)).enhance(0.8)]  # fmt: skip
    return photos, made


@pytest.fixture(scope="module")
def verdicts() -> dict[str, DiversityReport]:
    analyzer, embedder = real_photos.analyzer("faces", "identity"), starter_embedder()
    photos, varied = woman()
    first = photo(WOMAN[0])
    again = [first.resize((side, side * first.height // first.width)) for side in (400, 390, 380, 410, 396, 405)]
    sets = {"varied": varied, "again": again, "mixed": [photo(n) for n in STRANGERS]}
    found = {n: judge_diversity(p, reference=photos, embedder=embedder, analyzer=analyzer) for n, p in sets.items()}
    mixed = sets["mixed"]
    return found | {"no person": judge_diversity(varied, reference=mixed, embedder=embedder, analyzer=analyzer)}


def test_one_person_in_varied_pictures_is_the_person(verdicts: dict[str, DiversityReport]) -> None:
    found = verdicts["varied"]
    assert found.identity is not None and found.identity.by == "faces" and found.identity.hits == 4
    assert found.identity.face_distance is not None and found.identity.face_distance < 0.35
    variety = found.axis("variety")
    assert variety is not None and variety.state != "bad" and found.vendi > 1.8


def test_one_picture_many_times_is_overfit_and_every_copy_is_named(verdicts: dict[str, DiversityReport]) -> None:
    found = verdicts["again"]
    assert found.verdict == "overfit" and found.vendi < 1.1
    assert len(found.copies) == 6 and {c.photo for c in found.copies} <= {0, 1, 2}
    assert found.black_hole == "photo 1" and found.identity is not None and found.identity.share == 1


def test_a_mix_of_people_is_varied_and_nobody_is_the_person(verdicts: dict[str, DiversityReport]) -> None:
    found = verdicts["mixed"]
    assert found.verdict == "underfit" and found.identity is not None
    assert found.identity.hits == 0 and found.identity.face_distance is not None
    assert found.identity.face_distance > 0.6
    assert found.vendi > 4 and not found.copies


def test_photos_of_no_one_person_give_a_sentence_and_no_number(verdicts: dict[str, DiversityReport]) -> None:
    found = verdicts["no person"]
    assert any("do not show one person" in note for note in found.notes)
    assert found.identity is not None and found.identity.face_distance is None


def test_the_order_of_the_three_sets_holds_by_the_embedding_alone() -> None:
    embedder = starter_embedder()
    photos, varied = woman()
    rows = embedder.images(photos)
    same = likenesses(embedder.images(varied), rows, None)
    other = likenesses(embedder.images([photo(n) for n in STRANGERS]), rows, None)
    assert float(np.median(same)) > float(np.median(other)) + 0.2
