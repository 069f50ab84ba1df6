"""The template that takes photos out to trainers' folders and pictures back in, run as a user does it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from harness.comfyui import PACK, Server
from harness.frontend import Frontend
from PIL import Image

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# Templates are numbered in the order of a tour, which may change.
(TEMPLATE,) = (t.stem for t in (PACK / "example_workflows").glob("*Dataset, in and out.json"))


def test_photos_out_and_pictures_in(frontend: Frontend, server: Server) -> None:
    out = server.base / "output" / "lorasmith_datasets"
    shutil.rmtree(out, ignore_errors=True)
    server.post("/free", {"free_memory": True})  # forgets what the other render mode ran
    frontend.open_template(TEMPLATE)
    frontend.run(timeout_s=900)
    frontend.show_all()
    frontend.screenshot(f"{TEMPLATE} finished {frontend.mode}")

    pictures = sorted((out / "my_dataset" / "10_ohwx person").glob("*.png"))
    captions = [p.with_suffix(".txt").read_text(encoding="utf-8").strip() for p in pictures]
    assert len(pictures) >= 20 and all(
        c.startswith("ohwx, photo of") or c.startswith("photo of ohwx") for c in captions
    )
    small = [json.loads(row) for row in (out / "my_dataset_small" / "metadata.jsonl").read_text().splitlines()]
    assert len(small) == len(pictures), "every crop came back as a picture"
    assert all("small photo of" in row["text"] for row in small)
    sizes = [size_of(p) for p in pictures]
    back = [size_of(out / "my_dataset_small" / row["file_name"]) for row in small]
    assert sorted(back) == sorted((w // 2, h // 2) for w, h in sizes)
    assert frontend.pictures_on("PreviewImage") == len(pictures)
    assert f"{len(pictures)} pictures" in frontend.reports()["Lorasmith_ExportDataset"]


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
