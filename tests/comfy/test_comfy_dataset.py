"""Datasets in a running ComfyUI: out to trainers, as lists of pictures and captions, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from drawn_photos import portrait, save
from harness.comfyui import Server
from harness.graphs import node
from PIL import Image

pytestmark = pytest.mark.comfy


@pytest.fixture(scope="module")
def folder(server: Server) -> str:
    """Four photos in ComfyUI's input folder, one of them with a caption of its own."""
    home = server.base / "input" / "in_and_out"
    for i, size in enumerate([(512, 640), (640, 512), (512, 512), (600, 600)]):
        save(portrait(i, size), home / f"photo {i}.jpg")
    (home / "photo 1.txt").write_text("on a sofa", encoding="utf-8")
    return "in_and_out"


def cropped(folder: str) -> dict[str, Any]:
    return {
        "load": node("Lorasmith_LoadPhotoFolder", folder=folder),
        "crop": node("Lorasmith_CropToSubject", dataset=["load", 0], resolution_px=256),
        "caption": node(
            "Lorasmith_CaptionDataset",
            dataset=["crop", 0],
            trigger="ohwx",
            class_word="person",
            replace="sofa -> couch",
        ),
    }


def said(outputs: dict[str, Any], node_id: str) -> dict[str, str]:
    return outputs[node_id]["lorasmith"][0]


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_export_for_a_trainer(server: Server, folder: str) -> None:
    graph = cropped(folder)
    graph["kohya"] = node(
        "Lorasmith_ExportDataset", dataset=["caption", 0], name="people/ohwx", layout="kohya", repeats=5
    )
    graph["hf"] = node("Lorasmith_ExportDataset", dataset=["caption", 0], name="hf", layout="huggingface")
    outputs = server.run(graph)
    assert said(outputs, "kohya")["title"] == "4 pictures written"
    home = server.base / "output" / "lorasmith_datasets"
    pictures = [f"5_ohwx person/photo {i}{suffix}" for i in range(4) for suffix in (".png", ".txt")]
    assert files(home / "people/ohwx") == [*pictures, "lorasmith_export.json"]
    assert (home / "people/ohwx" / pictures[3]).read_text() == "photo of ohwx person, on a couch\n"
    rows = [json.loads(line) for line in (home / "hf/metadata.jsonl").read_text().splitlines()]
    assert [row["file_name"] for row in rows] == [f"photo {i}.png" for i in range(4)]
    assert sorted(p.name for p in (server.base / "input" / folder).iterdir()) == [
        "photo 0.jpg", "photo 1.jpg", "photo 1.txt", "photo 2.jpg", "photo 3.jpg",
    ]  # fmt: skip


def test_pictures_go_through_other_nodes_and_come_back(server: Server, folder: str) -> None:
    graph = cropped(folder)
    graph["images"] = node("Lorasmith_DatasetToImages", dataset=["caption", 0])
    graph["half"] = node("ImageScaleBy", image=["images", 0], upscale_method="area", scale_by=0.5)
    graph["back"] = node("Lorasmith_ImagesToDataset", images=["half", 0], captions=["images", 1], name="halves")
    graph["out"] = node("Lorasmith_ExportDataset", dataset=["back", 0], name="halves_out", layout="folder")
    outputs = server.run(graph)
    assert said(outputs, "images")["title"] == "4 pictures"
    assert said(outputs, "back")["title"] == "4 photos"
    home = server.base / "output" / "lorasmith_datasets"
    assert files(home / "halves") == [
        *(f"000{i}{s}" for i in range(1, 5) for s in (".png", ".txt")),
        "lorasmith_export.json",
    ]
    assert (home / "halves_out/0002.txt").read_text() == "photo of ohwx person, on a couch\n"
    with Image.open(home / "halves/0001.png") as first:
        assert max(first.size) <= 192


def test_a_batch_with_one_caption_goes_into_the_temporary_folder(server: Server) -> None:
    graph = {
        "grey": node("EmptyImage", width=64, height=48, batch_size=3, color=0x808080),
        "text": node("PrimitiveString", value="a grey wall"),
        "back": node("Lorasmith_ImagesToDataset", images=["grey", 0], captions=["text", 0]),
        "out": node("Lorasmith_ExportDataset", dataset=["back", 0], name="walls", layout="ai-toolkit"),
    }
    outputs = server.run(graph)
    assert said(outputs, "back")["title"] == "3 photos"
    home = server.base / "output" / "lorasmith_datasets"
    assert [p.read_text() for p in sorted((home / "walls").glob("*.txt"))] == ["a grey wall\n"] * 3
    assert not (home / "halves_2").exists() and list((server.base / "temp/lorasmith/datasets").iterdir())


@pytest.mark.parametrize("name", ["../escape", "/etc/evil", "", "con", "a/../../b"])
def test_names_stay_in_the_output_folder(server: Server, folder: str, name: str) -> None:
    graph = cropped(folder) | {"x": node("Lorasmith_ExportDataset", dataset=["caption", 0], name=name, layout="kohya")}
    answer = server.post("/prompt", {"prompt": graph})
    assert "does not stay inside" in answer["node_errors"]["x"]["errors"][0]["details"]


def test_names_of_pictures_stay_there_too(server: Server) -> None:
    graph = {
        "grey": node("EmptyImage", width=64, height=48, batch_size=1, color=0),
        "back": node("Lorasmith_ImagesToDataset", images=["grey", 0], name="../escape"),
        "x": node("Lorasmith_ExportDataset", dataset=["back", 0], name="fine", layout="folder"),
    }
    answer = server.post("/prompt", {"prompt": graph})
    assert "does not stay inside" in json.dumps(answer)


def test_wrong_replacements_are_refused_before_the_run(server: Server, folder: str) -> None:
    graph = cropped(folder)
    graph["caption"]["inputs"]["replace"] = "sofa couch"
    answer = server.post("/prompt", {"prompt": graph})
    assert "is not 'old -> new'" in answer["node_errors"]["caption"]["errors"][0]["details"]


def test_a_photo_that_vanished_is_told_and_the_others_go_on(server: Server, folder: str) -> None:
    graph = cropped(folder) | {"images": node("Lorasmith_DatasetToImages", dataset=["caption", 0])}
    graph["show"] = node("PreviewImage", images=["images", 0])
    server.run(graph)
    (server.base / "input" / folder / "photo 3.jpg").rename(server.base / "input" / "moved.jpg")
    try:
        # Only the last node runs again: the manifest still names the photo.
        graph["images"]["inputs"]["max_side_px"] = 512
        entry = server.wait(server.queue(graph))
        assert entry["status"]["status_str"] == "success"
    finally:
        (server.base / "input" / "moved.jpg").rename(server.base / "input" / folder / "photo 3.jpg")


def test_the_audit_still_tells_what_the_scan_found_wrong_beside_the_photos(server: Server) -> None:
    home = server.base / "input" / "bad_metadata"
    for i in range(2):
        save(portrait(i, (512, 512)), home / f"photo {i}.jpg")
    (home / "metadata.jsonl").write_text('{"file_name": \n', encoding="utf-8")
    outputs = server.run(
        {
            "load": node("Lorasmith_LoadPhotoFolder", folder=home.name),
            "audit": node("Lorasmith_AuditDataset", dataset=["load", 0]),
        }
    )
    warnings = outputs["audit"]["lorasmith_sheet"][0]["warnings"]
    assert sum("metadata.jsonl" in w["text"] and "line 1" in w["text"] for w in warnings) == 1
