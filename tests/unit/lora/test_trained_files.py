"""Files that the trainer made, under every form of names, against peft's own arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from made_loras import deltas, distance
from trained_loras import trained

from lora_train.lora.convert import convert
from lora_train.lora.file import read_lora
from lora_train.lora.merge import Options, Part, merge
from lora_train.lora.places import FORMS
from lora_train.lora.reader import open_lora
from lora_train.lora.stack import join

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))


def named(path: Path, form: Any, folder: Path) -> Path:
    """The same LoRA under another form of names."""
    with open_lora(path) as file:
        if file.form == form:
            return path
    return convert(path, folder / f"{path.stem}.{form}.safetensors", form).path


def references(files: tuple[Path, Path], kind: str, rank: int | None) -> dict[str, torch.Tensor]:
    """What peft makes of both at .8 and .5, a layer at a time: place -> change."""
    found = {}
    with open_lora(files[0]) as a, open_lora(files[1]) as b:
        for place in a.places:
            pairs = [file.factors(file.places[place]) for file in (a, b)]
            down, up = pairs[0].down.flatten(1), pairs[0].up.flatten(1)
            net = torch.nn.Sequential(torch.nn.Linear(down.shape[1], up.shape[0], bias=False))
            configs = [peft.LoraConfig(r=p.rank, lora_alpha=p.alpha, target_modules=["0"]) for p in pairs]
            model = peft.get_peft_model(net, configs[0], adapter_name="x")
            model.add_adapter("y", configs[1])
            layer = model.base_model.model[0]
            for name, pair in zip("xy", pairs, strict=True):
                layer.lora_A[name].weight.data = pair.down.flatten(1).float()
                layer.lora_B[name].weight.data = pair.up.flatten(1).float()
            model.base_model.add_weighted_adapter(["x", "y"], [0.8, 0.5], "m", combination_type=kind, svd_rank=rank)
            found[place] = layer.get_delta_weight("m").detach().double()
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "rank"), [("cat", None), ("svd", 3)])
def test_merging_trained_files_equals_peft(
    files: tuple[Path, Path], tmp_path: Path, form: Any, kind: str, rank: int | None
) -> None:
    a, b = (named(file, form, tmp_path) for file in files)
    merge([Part(a, 0.8), Part(b, 0.5)], tmp_path / "m.safetensors", Options(rank=rank, dtype=torch.float32))
    assert distance(references(files, kind, rank), deltas(tmp_path / "m.safetensors")) < 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_joining_trained_files_is_the_sum(files: tuple[Path, Path], tmp_path: Path, form: Any) -> None:
    a, b = (named(file, form, tmp_path) for file in files)
    joined = join([read_lora(a), read_lora(b)], [0.8, 0.5])
    whole = sum(float(pair.delta().double().square().sum()) for pair in joined.values())
    expected = {place: 0.8 * deltas(a)[place] + 0.5 * deltas(b)[place] for place in deltas(a)}
    assert whole == pytest.approx(sum(float(m.square().sum()) for m in expected.values()), rel=1e-5)
