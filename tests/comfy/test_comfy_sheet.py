"""The photos that the server shows to the graph editor: small, cached, and only those it has judged."""

from __future__ import annotations

import urllib.error
import urllib.request
from io import BytesIO
from typing import Any

import pytest
from harness.comfyui import Server
from harness.graphs import node
from PIL import Image
from sheet_photos import make_folder

pytestmark = pytest.mark.comfy


@pytest.fixture(scope="module")
def told(server: Server) -> dict[str, Any]:
    """What the audit of a dozen photos tells the contact sheet."""
    make_folder(server.base / "input" / "dozen", 12)
    return audit(server)


def audit(server: Server, **inputs: object) -> dict[str, Any]:
    prompt = {
        "load": node("Lorasmith_LoadPhotoFolder", folder="dozen"),
        "audit": node("Lorasmith_AuditDataset", dataset=["load", 0], **inputs),
    }
    return server.run(prompt)["audit"]["lorasmith_sheet"][0]


@pytest.mark.parametrize(("size", "longer_px"), [("tile", 320), ("view", 600)])
def test_small_pictures_by_id(server: Server, told: dict[str, Any], size: str, longer_px: int) -> None:
    for photo in told["photos"][:3]:
        status, kind, body = server.fetch(f"/lorasmith/photos/{photo['token']}/{size}")
        assert (status, kind) == (200, "image/jpeg")
        with Image.open(BytesIO(body)) as image:
            assert max(image.size) <= longer_px
            assert abs(image.width / image.height - photo["width"] / photo["height"]) < 0.01
            assert not image.getexif()


def test_ids_are_long_and_the_same_after_another_run(server: Server, told: dict[str, Any]) -> None:
    tokens = [photo["token"] for photo in told["photos"]]
    assert all(len(token) == 40 for token in tokens) and len(set(tokens)) == len(tokens)
    again = audit(server, min_side_px=300)
    assert [photo["token"] for photo in again["photos"]] == tokens
    assert not any(photo["token"][:16] in photo["id"] for photo in told["photos"])


@pytest.mark.parametrize(
    "path",
    ["0" * 40 + "/tile", "../../input/dozen/photo_001.jpg/tile", "%2e%2e%2fphoto_001.jpg/tile", "photo_001.jpg/tile"],
)
def test_no_other_way_to_a_photo(server: Server, told: dict[str, Any], path: str) -> None:
    assert server.fetch(f"/lorasmith/photos/{path}")[0] in (403, 404)


def test_no_other_size_and_no_other_method(server: Server, told: dict[str, Any]) -> None:
    address = f"/lorasmith/photos/{told['photos'][0]['token']}"
    assert server.fetch(f"{address}/huge")[0] == 404
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(urllib.request.Request(server.url + f"{address}/tile", b"", method="POST"))
    assert server.fetch("/lorasmith/models/faces")[0] in (404, 405), "fetching models takes a POST"


def test_suggested_crop_lies_in_the_photo(server: Server, told: dict[str, Any]) -> None:
    photo = told["photos"][0]
    left, top, right, bottom = server.get(f"/lorasmith/photos/{photo['token']}/crop")["box"]
    assert 0 <= left < right <= photo["width"] and 0 <= top < bottom <= photo["height"]


def test_decisions_are_applied_and_travel_on(server: Server, told: dict[str, Any]) -> None:
    rejected = next(photo for photo in told["photos"] if not photo["keep"])
    kept = next(photo for photo in told["photos"] if photo["keep"])
    rows = [
        {"name": rejected["name"], "id": rejected["id"], "verdict": "keep"},
        {"name": "renamed.jpg", "id": kept["id"], "verdict": "reject"},
        {"name": "elsewhere.jpg", "id": "f" * 16, "verdict": "reject"},
    ]
    text = '{"kind":"lorasmith.overrides","version":1,"photos":' + str(rows).replace("'", '"') + "}"
    again = audit(server, overrides=text)
    assert again["waiting"] == ["elsewhere.jpg"]
    by_name = {photo["name"]: photo for photo in again["photos"]}
    assert not by_name[rejected["name"]]["keep"], "the sheet is told the verdict, not the decision"
    assert by_name[kept["name"]]["keep"]


def test_broken_decisions_are_refused_before_the_run(server: Server) -> None:
    prompt = {
        "load": node("Lorasmith_LoadPhotoFolder", folder="dozen"),
        "audit": node("Lorasmith_AuditDataset", dataset=["load", 0], overrides="{nonsense"),
    }
    errors = server.post("/prompt", {"prompt": prompt})["node_errors"]["audit"]["errors"]
    assert "'overrides' is not JSON" in errors[0]["details"]
