"""A real training inside ComfyUI: the file, the lists, the cache, cancelling, and a worker that dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import Server
from harness.graphs import node, photos, pictures, training

pytestmark = [pytest.mark.comfy, pytest.mark.slow]
STEPS = 8


@pytest.fixture(scope="module")
def trained(server: Server) -> dict[str, Any]:
    """The outputs of a short training called ``people/anna``."""
    return server.run(training("people/anna", STEPS))


def lora_file(server: Server, name: str) -> Path:
    return server.base / "output" / "loras" / name


def header_of(path: Path) -> dict[str, Any]:
    """The header of a safetensors file; fails on half a file."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    end = max(value["data_offsets"][1] for name, value in header.items() if name != "__metadata__")
    assert path.stat().st_size == 8 + length + end
    return header


def until(what: Callable[[], bool], timeout_s: float = 300.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def lora_options(server: Server) -> list[str]:
    return server.get("/object_info/LoraLoader")["LoraLoader"]["input"]["required"]["lora_name"][0]


def test_lora_lands_in_the_lora_folder_and_in_every_list(server: Server, trained: dict[str, Any]) -> None:
    header = header_of(lora_file(server, "people/anna.safetensors"))
    assert all(name.startswith("lora_unet_") for name in header if name != "__metadata__")
    assert any(name.endswith(".alpha") for name in header)
    assert os.path.join("people", "anna.safetensors") in lora_options(server)


def test_every_station_reports_on_its_node(trained: dict[str, Any]) -> None:
    titles = {key: output["lorasmith"][0]["title"] for key, output in trained.items()}
    assert titles["train"] == "LoRA trained"
    assert titles["plan"] == f"{STEPS} steps"
    assert titles["caption"] == "Trigger word: ohwx"
    assert len(trained["crop"]["images"]) == 1
    assert trained["audit"]["lorasmith_sheet"], trained["audit"].keys()


def test_same_graph_again_trains_nothing(server: Server, trained: dict[str, Any]) -> None:
    entry = server.wait(server.queue(training("people/anna", STEPS)))
    cached = next(detail["nodes"] for name, detail in entry["status"]["messages"] if name == "execution_cached")
    assert {"train", "plan", "crop", "audit", "load"} <= set(cached)
    assert not lora_file(server, "people/anna_2.safetensors").exists()


def test_new_training_does_not_overwrite(server: Server, trained: dict[str, Any]) -> None:
    before = lora_file(server, "people/anna.safetensors").read_bytes()
    outputs = server.run(training("people/anna", STEPS, seed=5))
    assert "anna_2.safetensors" in outputs["train"]["lorasmith"][0]["text"]
    assert lora_file(server, "people/anna.safetensors").read_bytes() == before
    assert lora_file(server, "people/anna_2.safetensors").read_bytes() != before


def test_lora_changes_pictures_and_every_key_is_used(server: Server, trained: dict[str, Any]) -> None:
    seen = {}
    for strength in (0.0, 1.0):
        graph = training("people/anna", STEPS) | pictures(["train", 1], strength)
        images = server.run(graph)["show"]["images"]
        seen[strength] = [
            server.fetch(f"/view?filename={i['filename']}&type={i['type']}&subfolder={i['subfolder']}")[2]
            for i in images
        ]
        assert len(images) == 4
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log
    assert seen[0.0] != seen[1.0]


def test_stack_row_by_name(server: Server, trained: dict[str, Any]) -> None:
    row = node(
        "Lorasmith_LoraStack",
        lora_name=os.path.join("people", "anna.safetensors"),
        model_strength=0.7,
        clip_strength=0.7,
        lora_stack=["train", 1],
    )
    server.run(training("people/anna", STEPS) | {"row": row} | pictures(["row", 0], 1.0, count=1))


def test_lora_that_is_gone_is_named_with_its_neighbours(server: Server, trained: dict[str, Any]) -> None:
    graph = training("people/bob", STEPS) | pictures(["train", 1], 0.4, count=1)
    server.run(graph)
    path = lora_file(server, "people/bob.safetensors")
    path.rename(path.with_name("bobby.safetensors"))
    graph["apply"]["inputs"]["strength"] = 0.5
    said = server.failure(server.wait(server.queue(graph)))
    assert said.startswith("lorasmith.BadInputError: There is no LoRA named 'people")
    assert "Did you mean" in said and "bobby.safetensors" in said


def test_new_photo_in_the_folder_is_noticed(server: Server, trained: dict[str, Any]) -> None:
    demo = server.base / "input" / "lorasmith_demo"
    own = server.base / "input" / "growing_photos"
    good = sorted(demo.glob("good_*.jpg"))
    own.mkdir()
    for photo in good[:3]:
        shutil.copy(photo, own)
    first = server.run(photos("growing_photos"))["audit"]["lorasmith"][0]["title"]
    shutil.copy(good[4], own)
    second = server.run(photos("growing_photos"))["audit"]["lorasmith"][0]["title"]
    assert "of 3 photos" in first and "of 4 photos" in second


def test_cores_own_nodes_take_what_the_training_gives(server: Server, trained: dict[str, Any]) -> None:
    graph = training("people/anna", STEPS) | {
        "save": node("SaveLoRA", lora=["train", 4], prefix="loras/by_core", steps=STEPS),
        "plot": node("LossGraphNode", loss=["train", 2], filename_prefix="loss"),
        "bend": node("LoraModelLoader", model=["base", 0], lora=["train", 4], strength_model=1.0, bypass=False),
        "read": node("PreviewAny", source=["train", 0]),
    }
    outputs = server.run(graph)
    assert len(outputs["plot"]["images"]) == 1
    saved = header_of(lora_file(server, f"by_core_{STEPS}_steps_00001_.safetensors"))
    ours = header_of(lora_file(server, "people/anna.safetensors"))
    assert set(saved) - {"__metadata__"} == set(ours) - {"__metadata__"}
    assert "lora key not loaded" not in server.log and "NOT LOADED" not in server.log


def test_samples_are_pictures_and_without_any_the_nodes_behind_rest(server: Server, trained: dict[str, Any]) -> None:
    graph = training("people/anna", STEPS) | {"look": node("PreviewImage", images=["train", 5])}
    pictures_made = server.run(graph).get("look", {}).get("images", [])
    strip = [line for line in run_of(server, trained)["lines"] if line["event"] == "sample" and line["step"] > 0]
    assert len(pictures_made) == (len(strip[-1]["paths"]) if strip else 0)


def test_own_prompts_are_sampled_beside_the_scored_ones(server: Server) -> None:
    graph = training("people/own", 60)
    graph["train"]["inputs"]["sample_prompts"] = "a red cat\n\n  a dog  "
    strip = [line for line in run_of(server, server.run(graph))["lines"] if line["event"] == "sample"]
    assert strip and strip[0]["prompts"][-2:] == ["a red cat", "a dog"]
    assert all(len(line["paths"]) == len(line["prompts"]) > 2 for line in strip)


def run_of(server: Server, outputs: dict[str, Any]) -> dict[str, Any]:
    """What the panel reads of a finished training."""
    return server.get(f"/lorasmith/train/runs/{outputs['train']['lorasmith_train'][0]['run']}")


def test_run_is_known_by_its_id_with_all_its_lines(server: Server, trained: dict[str, Any]) -> None:
    run = run_of(server, trained)
    assert (run["state"], run["step"], run["total"], run["node"]) == ("done", STEPS, STEPS, "train")
    assert run["name"] == os.path.join("people", "anna.safetensors")
    assert run["report"]["title"] == "LoRA trained" and run["count"] == len(run["lines"])
    losses = [line["step"] for line in run["lines"] if "loss" in line]
    assert losses and losses == sorted(losses) and losses[-1] == STEPS
    assert run["id"] in {known["id"] for known in server.get("/lorasmith/train/runs")}
    assert str(server.base) not in json.dumps(run)


def test_routes_answer_for_known_ids_only(server: Server, trained: dict[str, Any]) -> None:
    run = run_of(server, trained)["id"]
    assert server.fetch("/lorasmith/train/runs/unknown")[0] == 404
    for name in ("run.json", "..%2Frun.json", "%2Fetc%2Fpasswd", "step_999999_0.png"):
        assert server.fetch(f"/lorasmith/train/runs/{run}/{name}")[0] == 404
    assert "has ended already" in server.post("/lorasmith/train/tell", {"run": run, "do": "stop"})["error"]
    assert "cannot be asked" in server.post("/lorasmith/train/tell", {"run": run, "do": "delete"})["error"]
    assert "does not know" in server.post("/lorasmith/train/tell", {"run": "x", "do": "stop"})["error"]


def running(server: Server, name: str) -> dict[str, Any]:
    """The known run of a LoRA's name."""
    return next(run for run in server.get("/lorasmith/train/runs") if run["name"] == f"{name}.safetensors")


def test_stop_keeps_the_best_and_the_graph_goes_on(server: Server, trained: dict[str, Any]) -> None:
    graph = training("enough", 50_000, seed=4) | {"read": node("PreviewAny", source=["train", 0])}
    prompt_id = server.queue(graph)
    metrics = lora_file(server, "enough.run/metrics.jsonl")
    until(lambda: metrics.is_file() and len(metrics.read_text(encoding="utf-8").splitlines()) > 3)
    run = running(server, "enough")
    assert run["state"] == "training" and run["step"] > 0
    assert server.post("/lorasmith/train/tell", {"run": run["id"], "do": "save"})["state"] == "training"
    until(lambda: lora_file(server, "enough.safetensors").is_file(), 60)
    server.post("/lorasmith/train/tell", {"run": run["id"], "do": "stop"})
    entry = server.wait(prompt_id, 60)
    assert entry["status"]["status_str"] == "success"
    assert "enough.safetensors" in json.dumps(entry["outputs"]["read"])
    ended = running(server, "enough")
    assert (ended["state"], ended["report"]["tone"]) == ("stopped", "good")
    assert "Stopped by you" in ended["report"]["title"]
    assert header_of(lora_file(server, "enough.safetensors"))


def start_long(server: Server, name: str, seed: int) -> str:
    """Queue a training that would run for hours; the prompt's id once steps are being made."""
    prompt_id = server.queue(training(name, 50_000, seed=seed))
    metrics = lora_file(server, f"{name}.run/metrics.jsonl")
    until(lambda: metrics.is_file() and len(metrics.read_text(encoding="utf-8").splitlines()) > 3)
    return prompt_id


def test_cancel_stops_soon_and_keeps_a_whole_lora(server: Server, trained: dict[str, Any]) -> None:
    prompt_id = start_long(server, "stopped", seed=1)
    started = time.monotonic()
    server.post("/interrupt", {"prompt_id": prompt_id})
    entry = server.wait(prompt_id, 30)
    seconds = time.monotonic() - started
    assert server.failure(entry) == "execution_interrupted"
    assert seconds < 2.5, "two seconds, and up to half a second until this test looks"
    assert header_of(lora_file(server, "stopped.safetensors"))
    assert "stopped.safetensors" in lora_options(server)
    run = running(server, "stopped")
    assert run["state"] == "cancelled" and "Saved as stopped.safetensors" in run["report"]["text"]
    assert server.run(photos())["audit"]["lorasmith"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found through /proc")
def test_killed_worker_is_one_clear_line(server: Server, trained: dict[str, Any]) -> None:
    prompt_id = start_long(server, "killed", seed=2)
    assert server.process is not None
    (worker,) = [pid for pid in children(server.process.pid) if "worker" in command_of(pid)]
    os.kill(worker, signal.SIGKILL)
    said = server.failure(server.wait(prompt_id, 60))
    assert said.startswith("lorasmith.WorkerError: The training process was killed from outside")
    assert "\n" not in said
    run = running(server, "killed")
    assert run["state"] == "failed" and run["report"]["tone"] == "bad"
    assert run["report"]["text"].startswith("The training process was killed")
    assert server.run(photos())["audit"]["lorasmith"]


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
