"""Masks of the subject, regular pictures and a trained text encoder, on a tiny checkpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import write_checkpoint

from lora_train.crop import crop_dataset
from lora_train.dataset.captions import caption_dataset
from lora_train.dataset.manifest import Crop, Dataset, Entry
from lora_train.dataset.scan import scan
from lora_train.errors import BadInputError
from lora_train.families.base import Base
from lora_train.families.sd15 import STARTER
from lora_train.lora.file import save_lora
from lora_train.observer import RecordingObserver
from lora_train.training import loop
from lora_train.training.begin import begin_run
from lora_train.training.checkpoint import load_resume, save_resume
from lora_train.training.encode import encode_dataset, read_encoded
from lora_train.training.masks import subject_masks, subject_share
from lora_train.training.plan import TrainPlan
from lora_train.training.prior import class_caption, prior_set
from lora_train.training.stopping import StopFlag
from lora_train.training.verify import check_saved
from lora_train.training.written import lora_tensors

from . import tiny

FACE = (0.4, 0.2, 0.6, 0.4)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base") / "tiny.safetensors")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("photos")
    chooser = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(chooser.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return crop_dataset(caption_dataset(Dataset.of(scan(folder)), "ohwx"), 64)


@pytest.fixture()
def base(checkpoint: Path) -> Base:
    return STARTER.load(checkpoint)


def _run(base: Base, photos: Dataset, folder: Path, plan: TrainPlan) -> loop.Run:
    data = read_encoded(encode_dataset(base, photos, folder / "encoded.state"))
    return begin_run(base, data, plan, photos, folder / "prior.state", "cpu", torch.float32)


def _with_face(entry: Entry, box: tuple[int, int, int, int] = (0, 0, 64, 64)) -> Entry:
    return dataclasses.replace(entry, faces=(FACE,), crop=Crop(box, (64, 64), "auto"))  # type: ignore[arg-type]


def test_a_face_gives_head_and_body_in_cells_of_the_crop(photos: Dataset) -> None:
    share = subject_share(_with_face(photos.pictures[0]), (64, 64))
    assert share is not None and float(share[20, 32]) == 1 and float(share[60, 32]) == 1
    assert float(share[2, 2]) == 0 and float(share[60, 2]) == 0
    body = share[60]
    assert float(body.sum()) == pytest.approx(3 * 0.2 * 64, abs=0.01)  # three face widths, to a part of a cell
    half = subject_share(_with_face(photos.pictures[0], (0, 0, 32, 64)), (8, 8))
    assert half is not None and float(half[:, 0].sum()) == 0 and float(half[:, 7].sum()) > 3


def test_a_mask_picture_wins_and_is_cut_like_the_photo(photos: Dataset, tmp_path: Path) -> None:
    entry = photos.pictures[0]
    photo = dataclasses.replace(entry.photo, path=tmp_path / "a.png")
    entry = _with_face(dataclasses.replace(entry, photo=photo), (0, 0, 32, 64))
    (tmp_path / "masks").mkdir()
    drawn = np.zeros((64, 64), np.uint8)
    drawn[:, 16:] = 255
    Image.fromarray(drawn).save(tmp_path / "masks" / "a.png")
    share = subject_share(entry, (8, 8))
    assert share is not None
    assert torch.equal(share, torch.tensor([0.0] * 4 + [1.0] * 4).expand(8, 8))
    Image.fromarray(drawn[:32]).save(tmp_path / "masks" / "a.png")
    with pytest.raises(BadInputError, match="the shapes differ"):
        subject_share(entry, (8, 8))
    Image.fromarray(drawn * 0).save(tmp_path / "masks" / "a.png")
    with pytest.raises(BadInputError, match=r"on 0\.0% of the crop"):
        subject_share(entry, (8, 8))


def test_masks_weigh_the_background_and_need_a_subject(photos: Dataset) -> None:
    entries = (_with_face(photos.entries[0]), *photos.entries[1:])
    seen = dataclasses.replace(photos, entries=entries)
    masks = subject_masks(seen, [(8, 8)] * 3, 0.25)
    assert float(masks[0].min()) == 0.25 and float(masks[0].max()) == 1 and bool((masks[1] == 1).all())
    assert subject_masks(photos, [(8, 8)] * 3, 1.0) == ()
    with pytest.raises(BadInputError, match="none of the 3 pictures shows where its subject is"):
        subject_masks(photos, [(8, 8)] * 3, 0.5)


def test_masked_training_runs_and_differs(base: Base, photos: Dataset, tmp_path: Path) -> None:
    seen = dataclasses.replace(photos, entries=tuple(_with_face(e) for e in photos.entries))
    plan = tiny.plan(batch_size=2, background_weight=0.1)
    masked = _run(base, seen, tmp_path, plan)
    assert masked.data.masks[0].shape == masked.data.latents[0].shape[-2:]
    drawn = loop.draw(masked, 0)
    with torch.no_grad():
        loss = loop.predict(masked, drawn)
        whole = loop.predict(masked, dataclasses.replace(drawn, masks=None))
    assert float(loss.plain) == float(whole.plain) and float(loss.weighted) != float(whole.weighted)


def test_regular_pictures_are_made_once_and_told_without_the_trigger(
    base: Base, photos: Dataset, tmp_path: Path
) -> None:
    plan, seen = tiny.plan(prior_weight=1.0), RecordingObserver()
    made = prior_set(base, plan, photos, tmp_path / "prior.state", seen)
    assert len(made) == 10 and "ohwx" not in class_caption(photos) and class_caption(photos) == "photo of person"
    assert "makes 10 regular pictures of 'photo of person'" in seen.of("message")[0]
    again = RecordingObserver()
    prior_set(base, plan, photos, tmp_path / "prior.state", again)
    assert again.of("message") == []
    other = prior_set(base, plan.replace(seed=8), photos, tmp_path / "prior.state", again)
    assert len(again.of("message")) == 1 and not torch.equal(other.latents[0], made.latents[0])


def test_regular_pictures_from_a_folder(base: Base, photos: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "regular"
    folder.mkdir()
    Image.new("RGB", (100, 60), "teal").save(folder / "a.png")
    (folder / "a.txt").write_text("photo of a man")
    plan = tiny.plan(prior_weight=0.5, prior_folder=str(folder))
    made = prior_set(base, plan, photos, tmp_path / "prior.state")
    assert len(made) == 1 and made.latents[0].shape == (4, 8, 8) and "photo of a man" in made.extra["captions"]


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_the_text_encoder_is_trained_saved_and_resumed_bit_for_bit(
    checkpoint: Path, photos: Dataset, tmp_path: Path, kind: str
) -> None:
    plan = tiny.plan(steps=4, warmup_steps=0, batch_size=1, text_encoder_rate=1e-3, adapter=kind, ema_decay=0.9)

    def run() -> loop.Run:
        return _run(STARTER.load(checkpoint), photos, tmp_path, plan)

    straight = run()
    before = straight.adapter.snapshot()
    loop.fit(straight, tiny.hooks())
    text = [s for s in straight.adapter.slots if s.part == "text_encoder"]
    assert len(text) == (18 if kind == "dora" else 12)
    ups = [s for s in text if s.role == "up"]
    assert all(float(s.of(straight.adapter.values.detach()).abs().max()) > 0 for s in ups[:3])
    assert [g["share"] for g in straight.optimizer.param_groups][-1] == pytest.approx(0.1)
    assert not torch.equal(before, straight.adapter.values)

    first, stop = run(), StopFlag()
    loop.fit(first, tiny.hooks(stop=stop, after_read=lambda r: stop.request("x") if r.step == 2 else None))
    save_resume(first, tmp_path / "resume.state")
    second = run()
    load_resume(second, tmp_path / "resume.state")
    loop.fit(second, tiny.hooks())
    assert torch.equal(second.adapter.values, straight.adapter.values)

    tensors = lora_tensors(second.adapter, None, second.traits, second.unet, second.text_encoder)
    assert sum(name.startswith("lora_te_text_model_encoder_layers_0_") for name in tensors) == (
        24 if kind == "dora" else 18
    )
    assert check_saved(second, save_lora(tmp_path / "l.safetensors", tensors, {})) < 2e-3


def test_a_base_without_text_encoder_cannot_train_it(base: Base, photos: Dataset, tmp_path: Path) -> None:
    data = read_encoded(encode_dataset(base, photos, tmp_path / "encoded.state"))
    bare = dataclasses.replace(base, text_encoder=None)
    with pytest.raises(BadInputError, match="brings no text encoder"):
        begin_run(bare, data, tiny.plan(text_encoder_rate=1e-5), photos, tmp_path / "p", "cpu", torch.float32)
