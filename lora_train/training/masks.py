"""How much each place of a picture counts in the loss: the subject fully, the background by the plan's weight.

The subject comes from a mask picture (``masks/NAME.png`` in the photos' folder, white is the subject), else from the
largest face that the audit found: head and body below it, as wide as shoulders are. A photo with neither counts
everywhere alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..crop.figure import CROWN
from ..crop.geometry import Box
from ..errors import BadInputError
from ..say import say

if TYPE_CHECKING:
    import torch

    from ..dataset.manifest import Dataset, Entry

FOLDER = "masks"
ENDINGS = (".png", ".jpg", ".webp")
SHOULDERS = 3.0
"""Width of the body in face widths."""
HAIR = 0.3
"""Hair beside the face on each side, in face widths."""
LEAST = 0.02
"""A mask smaller than this share of the crop teaches next to nothing and is taken for a mistake."""


def subject_masks(dataset: Dataset, sizes: list[tuple[int, int]], background: float) -> tuple[torch.Tensor, ...]:
    """Weights (h, w) fp32 for each picture of ``dataset`` at its latent's size; none when nothing is weighed.

    Raises:
        BadInputError: no photo shows where its subject is, or a mask picture cannot be used.
    """
    import torch

    if background >= 1:
        return ()
    shares = [subject_share(entry, size) for entry, size in zip(dataset.pictures, sizes, strict=True)]
    if all(share is None for share in shares):
        raise BadInputError(say("training.no_mask", weight=background, n=len(shares), folder=dataset.folder / FOLDER))
    whole = [torch.ones(size) if share is None else share for share, size in zip(shares, sizes, strict=True)]
    return tuple(background + (1 - background) * share for share in whole)


def subject_share(entry: Entry, size: tuple[int, int]) -> torch.Tensor | None:
    """How much of each cell (h, w) of the crop is subject, 0 to 1; None when it is not known."""
    drawn = mask_path(entry)
    if drawn is not None:
        return _from_picture(drawn, entry, size)
    if not entry.faces or entry.crop is None:
        return None
    parts = [_in_crop(part, entry, size) for part in _figure(entry)]
    share = _covered(parts[0], size)
    for part in parts[1:]:
        share = share.maximum(_covered(part, size))
    return share if float(share.mean()) >= LEAST else None


def mask_path(entry: Entry) -> Path | None:
    """The mask picture of a photo, or None."""
    photo = Path(entry.photo.path)
    found = (photo.parent / FOLDER / f"{photo.stem}{ending}" for ending in ENDINGS)
    return next((path for path in found if path.is_file()), None)


def _from_picture(path: Path, entry: Entry, size: tuple[int, int]) -> torch.Tensor:
    import numpy as np
    import torch
    from PIL import Image

    from ..dataset.photo import open_photo

    mask = open_photo(path).convert("L")
    photo = entry.photo
    if abs(mask.width / mask.height / (photo.width_px / photo.height_px) - 1) > 0.02:
        raise BadInputError(
            say(
                "training.mask_shape",
                path=path,
                width=mask.width,
                height=mask.height,
                name=entry.name,
                photo_width=photo.width_px,
                photo_height=photo.height_px,
            )
        )
    left, top, right, bottom = (0, 0, photo.width_px, photo.height_px) if entry.crop is None else entry.crop.box
    x, y = mask.width / photo.width_px, mask.height / photo.height_px
    box = (left * x, top * y, min(right * x, mask.width), min(bottom * y, mask.height))
    cells = mask.resize(size[::-1], Image.Resampling.BOX, box=box)
    share = torch.from_numpy(np.asarray(cells, dtype=np.float32) / 255)
    if float(share.mean()) < LEAST:
        raise BadInputError(
            say("training.mask_small", path=path, share=float(share.mean()), name=entry.name, least=LEAST)
        )
    return share


def _figure(entry: Entry) -> list[Box]:
    """Head and body of the largest face, in photo pixels; the body reaches to the photo's lower edge."""
    width, height = entry.photo.width_px, entry.photo.height_px
    left, top, right, bottom = entry.faces[0]
    face = Box(left * width, top * height, right * width, bottom * height)
    wide, high = face.extent.width, face.extent.height
    middle = face.centre[0]
    head = face.padded(HAIR * wide, CROWN * high, HAIR * wide, 0.0)
    body = Box(middle - SHOULDERS * wide / 2, face.bottom, middle + SHOULDERS * wide / 2, height)
    return [head, body]


def _in_crop(box: Box, entry: Entry, size: tuple[int, int]) -> Box:
    """A box of the photo in cells of its crop."""
    left, top, right, bottom = entry.crop.box  # type: ignore[union-attr]
    x, y = size[1] / (right - left), size[0] / (bottom - top)
    return Box((box.left - left) * x, (box.top - top) * y, (box.right - left) * x, (box.bottom - top) * y)


def _covered(box: Box, size: tuple[int, int]) -> torch.Tensor:
    """The share of each cell (h, w) that a box covers."""
    import torch

    def along(first: float, last: float, count: int) -> torch.Tensor:
        cells = torch.arange(count, dtype=torch.float32)
        return ((cells + 1).clamp(max=last) - cells.clamp(min=first)).clamp(0, 1)

    return along(box.top, box.bottom, size[0])[:, None] * along(box.left, box.right, size[1])
