"""Plans for other trainers, and theirs as plans."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from lora_train.errors import BadInputError
from lora_train.interop.ai_toolkit import from_ai_toolkit, to_ai_toolkit
from lora_train.interop.arguments import parse_arguments
from lora_train.interop.kohya import SCRIPTS, SHARED, to_kohya
from lora_train.interop.kohya_read import from_kohya
from lora_train.interop.read import parse_yaml, read_settings
from lora_train.interop.toml import _parser, to_toml
from lora_train.interop.write import to_yaml, write_settings
from lora_train.training.plan import TrainPlan
from lora_train.training.stepsize import effective_step

PLAN = TrainPlan(
    family="sdxl", steps=1500, why="because", rank=16, alpha=8.0, learning_rate=1e-4, resolution_px=1024, batch_size=2,
    warmup_steps=75, schedule="cosine", min_snr_gamma=5.0, noise_offset=0.03, caption_dropout=0.05, weight_decay=0.01,
    seed=42, sample_every=300, precision="bf16",
)  # fmt: skip
OTHER = PLAN.replace(
    family="sd15", steps=7, rank=3, alpha=5.0, learning_rate=3e-3, resolution_px=64, batch_size=9, warmup_steps=1,
    schedule="constant", min_snr_gamma=2.0, noise_offset=0.5, caption_dropout=0.5, weight_decay=0.5, seed=1,
    sample_every=3, precision="fp32", prior_weight=0.25, text_encoder_rate=1e-6,
)  # fmt: skip
PATHS = (Path("/data/pictures"), Path("/models/base.safetensors"), Path("/loras/my cat.safetensors"))
rates = st.floats(1e-7, 1e-1)
settings_of_plans = st.fixed_dictionaries({
    "family": st.sampled_from(sorted(SCRIPTS)), "steps": st.integers(100, 99_999), "rank": st.integers(2, 256),
    "alpha": st.floats(0.01, 256), "learning_rate": rates, "resolution_px": st.integers(1, 32).map(lambda n: 64 * n),
    "batch_size": st.integers(1, 64), "warmup_steps": st.integers(1, 100),
    "schedule": st.sampled_from(["constant", "cosine"]), "min_snr_gamma": st.none() | st.floats(0.5, 20),
    "noise_offset": st.floats(0, 0.5), "caption_dropout": st.floats(0, 1), "weight_decay": st.floats(0, 1),
    "seed": st.integers(0, 2**32), "sample_every": st.integers(1, 5000), "precision": st.sampled_from(["fp32", "bf16"]),
    "adapter": st.sampled_from(["lora", "locon"]), "prior_weight": st.floats(0, 1),
    "optimizer": st.sampled_from(["adamw", "adamw8bit", "prodigy", "schedulefree"]),
    "text_encoder_rate": st.just(0.0) | rates,
})  # fmt: skip


def valid(chosen: dict[str, Any]) -> TrainPlan:
    """A plan of these settings; those that exclude each other are put right."""
    if chosen["optimizer"] == "prodigy":
        chosen = {**chosen, "learning_rate": 1.0, "text_encoder_rate": 0.0}
    try:
        return TrainPlan(why="w", **chosen)
    except BadInputError:
        reject()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(settings_of_plans)
def test_a_plan_comes_back_from_kohya_as_it_was(chosen: dict[str, Any]) -> None:
    plan = valid(chosen)
    made = to_kohya(plan, *PATHS)
    text = _parser().loads(to_toml({**made.training, "datasets": made.dataset["datasets"]}))
    back = OTHER.replace(**from_kohya(text).fields)
    assert {name: getattr(back, name) for name in SHARED} == {name: getattr(plan, name) for name in SHARED}
    assert effective_step(back) == effective_step(plan) or math.isnan(effective_step(plan))


SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(), SCALARS | st.lists(st.integers() | st.text(), max_size=3), max_size=6))
def test_any_toml_is_read_back(data: dict[str, Any]) -> None:
    expected = {k: v for k, v in data.items() if v is not None}
    try:
        text = to_toml(data)
        text.encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    back = _parser().loads(text)
    assert repr(back) == repr(expected)


def test_tables_and_lists_of_tables_are_read_back() -> None:
    data = {
        "a": 1,
        "general": {"x": True},
        "datasets": [{"r": 512, "subsets": [{"d": "a\\b\n"}, {"d": "ü"}]}, {"r": 1}],
    }
    assert _parser().loads(to_toml(data, "two\nlines")) == data


def test_the_written_files_name_script_pictures_and_each_other(tmp_path: Path) -> None:
    written = write_settings(PLAN, "kohya", tmp_path, *PATHS, trigger="ohwx")
    training, dataset = (_parser().loads(path.read_text(encoding="utf-8")) for path in written.files)
    assert training["dataset_config"] == str(written.files[1])
    assert training["output_name"] == "my cat" and training["output_dir"] == "/loras"
    assert dataset["datasets"][0]["subsets"][0]["image_dir"] == "/data/pictures"
    assert "sdxl_train_network.py" in written.command
    read = read_settings(written.files[0])
    assert read.source == "kohya" and read.fields["resolution_px"] == 1024 and read.fields["caption_dropout"] == 0.05


def test_what_kohya_cannot_do_is_said() -> None:
    plan = dataclasses.replace(PLAN, tag_dropout=0.2, ema_decay=0.99, adapter="rslora", rank=16)
    made = to_kohya(plan, *PATHS)
    assert {note.name for note in made.notes} == {"tag_dropout", "ema_decay", "alpha"}
    assert made.training["network_alpha"] == 32.0
    back = OTHER.replace(**from_kohya(made.training).fields)
    assert effective_step(back) == pytest.approx(effective_step(plan))
    with pytest.raises(BadInputError, match="ai-toolkit"):
        to_kohya(dataclasses.replace(PLAN, family="zimage"), *PATHS)


def test_a_command_line_is_read() -> None:
    script, pasted = parse_arguments(
        "accelerate launch --num_cpu_threads_per_process 1 sdxl_train_network.py \\\n"
        "  --network_dim=32 --network_alpha 16 --learning_rate=1e-4 --unet_lr 2e-4 --network_train_unet_only \\\n"
        '  --resolution="768,512" --lr_scheduler linear --optimizer_type Lion8bit --optimizer_args "weight_decay=0.1" '
        '"x=2" --max_train_epochs 10 --train_batch_size 4 --gradient_accumulation_steps 2 --fancy_trick 3'
    )
    read = from_kohya(pasted, script)
    assert read.family == "sdxl"
    assert read.fields == {
        "family": "sdxl", "rank": 32, "alpha": 16.0, "learning_rate": 2e-4, "batch_size": 8, "resolution_px": 640,
        "schedule": "constant", "optimizer": "adamw", "weight_decay": 0.1, "min_snr_gamma": None, "noise_offset": 0.0,
        "text_encoder_rate": 0.0,
    }  # fmt: skip
    said = {note.name: note.fate for note in read.notes}
    assert said["fancy_trick"] == said["optimizer_args x"] == said["max_train_epochs"] == "not supported"
    assert said["optimizer_type"] == said["resolution"] == said["gradient_accumulation_steps"] == "converted"


def test_kohyas_alpha_is_1_when_it_is_not_set() -> None:
    read = from_kohya({"network_dim": 16, "learning_rate": 1e-4, "max_train_steps": 100, "lr_warmup_steps": 0.1})
    assert read.fields["alpha"] == 1.0 and read.fields["warmup_steps"] == 10
    assert "1 in sd-scripts" in next(note.text for note in read.notes if note.name == "network_alpha")


def test_the_gui_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gui.json"
    gui = {
        "LoRA_type": "Standard", "sdxl": True, "network_dim": 8, "network_alpha": 1, "train_batch_size": 1,
        "max_resolution": "1024,1024", "lr_scheduler": "cosine", "lr_warmup": 10, "max_train_steps": 2000,
        "min_snr_gamma": 0, "unet_lr": 0.0001, "text_encoder_lr": 5e-05, "optimizer": "AdamW8bit",
        "mixed_precision": "fp16",
    }  # fmt: skip
    path.write_text(json.dumps(gui))
    read = read_settings(path)
    assert read.family == "sdxl" and read.fields["resolution_px"] == 1024 and read.fields["warmup_steps"] == 200
    assert read.fields["min_snr_gamma"] is None and read.fields["precision"] == "auto"
    assert read.fields["text_encoder_rate"] == 5e-5 and read.fields["optimizer"] == "adamw8bit"
    assert OTHER.replace(**read.fields).alpha == 1.0


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_plan_comes_back_from_ai_toolkit(schedule: Any, tmp_path: Path) -> None:
    plan = dataclasses.replace(
        PLAN, schedule=schedule, adapter="locon", alpha=8.0, text_encoder_rate=0.0, learning_rate=1e-5
    )
    written = write_settings(plan, "ai-toolkit", tmp_path, *PATHS, trigger="ohwx")
    read = read_settings(written.files[0])
    same = [n for n in SHARED if n not in ("prior_weight", "text_encoder_rate")]
    if schedule == "cosine":
        same.remove("warmup_steps")
        assert [note.name for note in written.notes] == ["warmup_steps"]
    back = OTHER.replace(**read.fields)
    assert {n: getattr(back, n) for n in same} == {n: getattr(plan, n) for n in same}


def test_ai_toolkits_alpha_of_a_transformer_is_the_rank() -> None:
    job, notes = to_ai_toolkit(dataclasses.replace(PLAN, family="flux1"), *PATHS)
    read = from_ai_toolkit(job)
    assert read.family == "flux1" and read.fields["alpha"] == 16.0
    assert "alpha" in {note.name for note in notes}
    assert any(note.fate == "converted" and note.name == "network.linear_alpha" for note in read.notes)


def test_yaml_is_what_a_yaml_library_reads(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    job, _ = to_ai_toolkit(dataclasses.replace(PLAN, learning_rate=1e-5), *PATHS, trigger="no: #x")
    assert yaml.safe_load(to_yaml(job)) == job
    with pytest.raises(BadInputError, match="YAML"):
        parse_yaml("a: [", tmp_path)
    with pytest.raises(BadInputError, match="no job"):
        from_ai_toolkit({"config": {}})


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(BadInputError, match="neither"):
        read_settings(tmp_path / "a.json")
    (tmp_path / "a.toml").write_text("= 1")
    with pytest.raises(BadInputError, match="TOML"):
        read_settings(tmp_path / "a.toml")
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(BadInputError, match="--setting"):
        read_settings(tmp_path / "a.txt")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_settings(tmp_path / "none.yaml")


def test_a_base_in_8_bits_goes_there_and_back(tmp_path: Path) -> None:
    made = to_ai_toolkit(
        PLAN.replace(quantize="int8"), tmp_path, tmp_path / "b.safetensors", tmp_path / "x.safetensors"
    )[0]
    assert made["config"]["process"][0]["model"]["quantize"] is True
    assert from_ai_toolkit(made).fields["quantize"] == "int8"
    plain = to_ai_toolkit(PLAN, tmp_path, tmp_path / "b.safetensors", tmp_path / "x.safetensors")[0]
    assert "quantize" not in from_ai_toolkit(plain).fields
