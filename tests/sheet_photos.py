"""Two hundred small photos for the contact sheet: portraits good and bad, same shots, one broken file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from drawn_photos import blurred, portrait, save, scaled
from PIL import Image

SIZES = ((480, 600), (600, 480), (540, 540))


def make_folder(folder: Path, count: int = 200) -> Path:
    """``count`` files in ``folder``, drawn the same way each time; the folder.

    Of every ten, one is blurred, one is dark and one shows the photo before it again. The last file is no image.
    """
    folder.mkdir(parents=True)
    for number in range(count - 1):
        kind = number % 10
        size = SIZES[number % 3]
        picture = portrait(number - (kind == 7), SIZES[(number - 1) % 3] if kind == 7 else size)
        if kind == 3:
            picture = blurred(picture, 6)
        elif kind == 5:
            picture = scaled(picture, 0.06)
        elif kind == 7:
            picture = Image.fromarray(np.clip(np.asarray(picture, np.int16) + 4, 0, 255).astype(np.uint8))
        save(picture, folder / f"photo_{number + 1:03d}.jpg", quality=88)
    (folder / f"photo_{count:03d}.jpg").write_bytes(b"not a picture at all")
    return folder
