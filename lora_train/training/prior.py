"""Regular pictures of the class, which keep the base's idea of it while one member is learned.

Prior preservation (Ruiz et al. 2023, DreamBooth, arXiv 2208.12242, section 3.2): the loss on pictures of "photo of
person" is added to that on "photo of ohwx person". They come from a folder, or the base makes them first.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..dataset.scan import scan
from ..errors import BadInputError
from ..evaluation.adherence import without
from ..observer import NullObserver, Observer
from ..say import say
from .encode import base_mark, encode_picture, opening, read_encoded, write_encoded
from .sample import Request, sample

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..dataset.manifest import Dataset
    from ..families.base import Base
    from .encode import EncodedSet
    from .plan import TrainPlan

FEWEST, MOST = 10, 50
SAMPLER_STEPS = 20
GUIDANCE = 4.0
SEED = 900_000
"""Seeds of made pictures begin here, away from those of samples."""


def class_caption(dataset: Dataset) -> str:
    """How captions begin, without the trigger word: "photo of person"."""
    first = dataset.pictures[0].caption if dataset.pictures else ""
    return without(opening(first), dataset.trigger) or f"photo of {dataset.class_word}".strip()


def prior_set(
    base: Base, plan: TrainPlan, dataset: Dataset, path: Path, observer: Observer | None = None
) -> EncodedSet:
    """Regular pictures, encoded; kept in ``path`` for the next run with the same settings.

    ``base`` has its VAE and text encoder, and no adapter yet.

    Raises:
        BadInputError: the base lacks a part, or the folder holds no usable picture.
    """
    observer = observer or NullObserver()
    caption = class_caption(dataset)
    found = _pictures_of(Path(plan.prior_folder)) if plan.prior_folder else {}
    mark = _mark(base, plan, caption, found)
    if path.is_file() and (kept := read_encoded(path)).extra.get("prior") == mark:
        return kept
    vae = base.require_vae()
    count = min(MOST, max(FEWEST, len(dataset.pictures)))
    if found:
        pictures = [_square(file, plan.resolution_px) for file in found]
        captions = [text or caption for text in found.values()]
    else:
        observer.message(say("training.prior_first", count=count, caption=caption))
        pictures, captions = _made(base, plan, caption, count, observer), [caption] * count
    told = base.embed_texts([*captions, ""])
    rows = [told.rows([number]) for number in range(len(told))]
    latents = [encode_picture(vae, picture) for picture in pictures]
    extra = {"prior": mark, "captions": json.dumps(captions, ensure_ascii=False)}
    write_encoded(path, latents, rows[:-1], rows[:-1], rows[-1], extra, base.latent_channels)
    return read_encoded(path)


def _made(base: Base, plan: TrainPlan, caption: str, count: int, observer: Observer) -> list[Image]:
    side = plan.resolution_px
    seeds = tuple(SEED + plan.seed + number for number in range(count))
    return sample(base, Request((caption,) * count, seeds, side, side, SAMPLER_STEPS, GUIDANCE), observer)


def _pictures_of(folder: Path) -> dict[Path, str | None]:
    """Pictures of the folder and the captions that lie beside them."""
    found = {photo.path: photo.caption for photo in scan(folder).photos}
    if not found:
        raise BadInputError(say("training.prior_empty", folder=folder))
    return found


def _square(path: Path, side_px: int) -> Image:
    """The middle square of a picture."""
    from PIL import Image

    from ..dataset.photo import open_photo

    picture = open_photo(path)
    short = min(picture.size)
    left, top = (picture.width - short) / 2, (picture.height - short) / 2
    return picture.resize((side_px, side_px), Image.Resampling.LANCZOS, box=(left, top, left + short, top + short))


def _mark(base: Base, plan: TrainPlan, caption: str, found: dict[Path, str | None]) -> str:
    """Changes with everything that the pictures depend on."""
    files = [[path.name, path.stat().st_size, text] for path, text in found.items()]
    text = json.dumps([base_mark(base.path), plan.resolution_px, plan.seed, caption, files])
    return hashlib.sha256(text.encode()).hexdigest()
