"""How LoRAs meet: numbers against the full matrices, sentences, suggestions, caches, bad input."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_loras import SDXL, deltas, make
from safetensors.torch import load_file, save_file
from tiny_models import random_unet, write_checkpoint

from lora_train.errors import BadInputError, LorasmithError
from lora_train.lora import limits
from lora_train.lora.balance import check
from lora_train.lora.blocks import BlockFactors
from lora_train.lora.gram import Grams
from lora_train.lora.measure import sum_blocks
from lora_train.lora.suggest import cap_energy, fitted, match_loudness


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))


def three(tmp_path: Path) -> list[Path]:
    few = dict(list(SDXL.items())[:2])
    return [make(tmp_path / "a.safetensors", 1, 4), make(tmp_path / "b.safetensors", 2, 3, form="diffusers"),
            make(tmp_path / "c.safetensors", 3, 4, layers=few, alpha=None, form="core")]  # fmt: skip


def test_inner_products_are_those_of_the_full_matrices(tmp_path: Path) -> None:
    files = three(tmp_path)
    table = Grams().of(files)
    full = [deltas(f) for f in files]
    assert set(table.places) == set(full[0])
    for row, place in enumerate(table.places):
        for i, a in enumerate(full):
            for j, b in enumerate(full):
                if place not in a or place not in b:
                    assert not table.inner[row, i, j]
                    continue
                x, y = a[place], b[place]
                size = float(x.norm() * y.norm())
                assert table.inner[row, i, j] == pytest.approx(float((x * y).sum()), abs=1e-5 * size)
                assert table.inside[row, i, j] == pytest.approx(float(((x.T @ x) * (y.T @ y)).sum()), rel=1e-4)
                assert table.outside[row, i, j] == pytest.approx(float(((x @ x.T) * (y @ y.T)).sum()), rel=1e-4)


def test_cosine_and_loudness_follow_strengths(tmp_path: Path) -> None:
    files = three(tmp_path)
    x, y = deltas(files[0]), deltas(files[1])
    inner = sum(float((x[p] * y[p]).sum()) for p in x)
    cosine = inner / math.sqrt(sum(float(m.square().sum()) for m in x.values())
                               * sum(float(m.square().sum()) for m in y.values()))  # fmt: skip
    found = check(files, [0.8, 0.5, 1.0])
    assert found.pairs[0].cosine == pytest.approx(cosine, abs=1e-5)
    assert found.at([0.8, -0.5, 1.0]).pairs[0].cosine == pytest.approx(-cosine, abs=1e-5)
    assert found.loudness["a"] == pytest.approx(math.sqrt(sum(float(m.square().sum()) for m in x.values())), rel=1e-5)
    total = {p: 0.8 * x[p] + 0.5 * y[p] + deltas(files[2]).get(p, 0) for p in x}
    assert found.cap.energy == pytest.approx(sum(float(m.square().sum()) for m in total.values()), rel=1e-5)
    off = found.at([0.8, 0.0, 1.0])
    assert off.cap.energy < found.cap.energy and off.pairs[0].cosine == pytest.approx(cosine, abs=1e-5)


def test_text_strengths_act_on_the_text_encoders_alone(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", 1)
    energy = {p: float(m.square().sum()) for p, m in deltas(a).items()}
    found = check([a], [0.5], text_strengths=[2.0])
    expected = sum(e * (4.0 if p.startswith("te") else 0.25) for p, e in energy.items())
    assert found.cap.energy == pytest.approx(expected, rel=1e-5)


def test_a_choice_of_blocks_acts_on_its_blocks_alone(tmp_path: Path) -> None:
    files = three(tmp_path)
    off = BlockFactors("custom", {"input_blocks.4": 0.0})
    whole = check(files, [1.0, 1.0, 1.0])
    found = whole.at([1.0, 1.0, 1.0], choices=[off, BlockFactors(), BlockFactors()])
    rows = [g for g, (block, _) in enumerate(whole.blocks.labels) if block == "input_blocks.4"]
    left = whole.gram[0, 0] - whole.blocks.gram[rows, 0, 0].sum()
    assert rows and found.gram[0, 0] == pytest.approx(left, abs=1e-9)
    assert found.gram[1, 1] == pytest.approx(whole.gram[1, 1])
    with pytest.raises(BadInputError, match="3 LoRAs and 1 choices of blocks"):
        whole.at([1.0, 1.0, 1.0], choices=[off])


@pytest.mark.parametrize(("strength", "factor", "shown"), [
    (0.8, 1.0, 0.8), (0.823, 1.0, 0.823), (1.0, 0.7099, 0.70), (-1.0, 0.7099, -0.70), (0.5, 0.999, 0.49),
])  # fmt: skip
def test_a_suggestion_is_rounded_towards_nothing(strength: float, factor: float, shown: float) -> None:
    assert fitted(strength, factor) == shown


def test_the_same_change_overlaps_fully_and_strangers_as_chance_says(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = {"unet.middle_block.1.proj_in": (400, 400)}
    a, b = (make(tmp_path / f"{n}.safetensors", n, 8, layers=layer, conv=False) for n in (1, 2))
    strangers = check([a, b], [1, 1]).pairs[0]
    assert strangers.overlap < 0.05 and 0.7 < strangers.times_chance < 1.4
    tensors = load_file(a)
    save_file({n: -t if "up" in n else t for n, t in tensors.items()}, tmp_path / "n.safetensors")
    against = check([a, tmp_path / "n.safetensors"], [1, 1])
    assert against.pairs[0].cosine == pytest.approx(-1, abs=1e-4)
    assert against.pairs[0].overlap == pytest.approx(1, abs=1e-4)
    assert "cancels" in [f.code for f in against.findings]


def test_only_one_side_shared_is_told_apart(tmp_path: Path) -> None:
    layer = {"unet.middle_block.1.proj_in": (60, 50)}
    a, b = (make(tmp_path / f"{n}.safetensors", n, 2, layers=layer, conv=False) for n in (1, 2))
    first, second = load_file(a), load_file(b)
    down = next(n for n in first if "down" in n)
    save_file({**second, down: first[down]}, tmp_path / "m.safetensors")
    pair = check([a, tmp_path / "m.safetensors"], [1, 1]).pairs[0]
    assert pair.overlap_inputs > 0.5 > 0.3 > pair.overlap_outputs


def test_blocks_add_up_to_the_whole(tmp_path: Path) -> None:
    table = Grams().of(three(tmp_path))
    blocks = sum_blocks(table)
    assert np.allclose(blocks.gram.sum(0), table.inner.sum(0))
    assert ("te1.3", "attn-self") in blocks.labels and blocks.labels[0][0].startswith("te1")


def test_the_heat_map_shows_where_two_meet(tmp_path: Path) -> None:
    from lora_train.report.heat import heat_map
    from lora_train.report.paper import LIGHT

    a, b = make(tmp_path / "a.safetensors", 1), make(tmp_path / ("long name " * 9 + ".safetensors"), 2)
    red = tuple(int(LIGHT.reject[i : i + 2], 16) for i in (1, 3, 5))
    same, strangers = (
        {colour: count for count, colour in heat_map(check([a, other], [1, 1])).getcolors(1 << 20) or []}[red]
        for other in (a, b)
    )
    assert same > strangers > 0  # the legend is red in both
    assert heat_map(check([a], [1])).size[0] > 400


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_the_heat_map_is_as_wide_as_its_legend(tmp_path: Path, language: str) -> None:
    from lora_train.report.heat import heat_map
    from lora_train.report.paper import LIGHT
    from lora_train.say import speaking

    with speaking(language):
        image = heat_map(check([make(tmp_path / "a.safetensors", 1), make(tmp_path / "b.safetensors", 2)], [1, 1]))
    paper = tuple(int(LIGHT.paper[i : i + 2], 16) for i in (1, 3, 5))
    edge = image.crop((image.width - 10, image.height - 30, image.width, image.height))
    assert edge.getcolors() == [(300, paper)], "the legend reaches the edge"


def test_cap_keeps_the_budget_and_the_locks() -> None:
    gram = np.diag([1.0, 1.0, 1.0, 1.0])
    cap = cap_energy(gram, kappa=2.0)
    assert cap.factors == pytest.approx([math.sqrt(0.5)] * 4)
    cap = cap_energy(gram, locked=[0], kappa=2.0)
    assert cap.factors[0] == 1 and cap.factors @ gram @ cap.factors == pytest.approx(2.0)
    aligned = cap_energy(np.ones((3, 3)), kappa=2.0)
    assert aligned.factors == pytest.approx([math.sqrt(2) / 3] * 3)
    assert cap_energy(np.array([[1.0, -0.9], [-0.9, 1.0]])).factors.tolist() == [1, 1]
    assert cap_energy(np.ones((3, 3)) + np.eye(3), locked=[0, 1]).full
    assert not cap_energy(np.zeros((2, 2))).full


def test_equal_loudness() -> None:
    assert match_loudness(np.array([1.0, 2.0, 4.0]), np.array([1, 1, -1])).tolist() == [1.5, 1.0, -0.5]
    assert match_loudness(np.array([0.0, 2.0]), np.ones(2)).tolist() == [0.0, 1.0]


def test_every_limit_says_where_it_comes_from() -> None:
    said = json.loads(Path(limits.__file__).with_name("limits.json").read_text("utf-8"))
    names = {field.name for field in dataclasses.fields(limits.ConflictLimits)}
    assert {name for name, value in said.items() if isinstance(value, dict)} == names
    assert all(len(said[name]["source"]) > 10 and said[name]["value"] > 0 for name in names)


@pytest.mark.parametrize(("limit", "value", "code"), [
    ("high_cosine", 0.999, "adds_up"), ("same_cosine", 1.1, "nearly_same"), ("budget", 9.0, "over_budget"),
    ("drowned_times", 9.0, "drowned"),
])  # fmt: skip
def test_sentences_follow_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: float, code: str
) -> None:
    a, noise = make(tmp_path / "a.safetensors", 1), make(tmp_path / "b.safetensors", 2)
    tensors, other = load_file(a), load_file(noise)
    share = 0.1 if code == "nearly_same" else 0.4
    save_file({n: t if "up" not in n else (1 - share) * t + share * other[n] for n, t in tensors.items()},
              tmp_path / "near.safetensors")  # fmt: skip
    files = [a, tmp_path / "near.safetensors"]
    at = [1, 2] if code == "drowned" else [1, 1]
    assert code in codes(check(files, at))
    changed = dataclasses.replace(limits.conflict_limits(), **{limit: value})
    monkeypatch.setattr("lora_train.lora.verdict.conflict_limits", lambda: changed)
    found = check(files, at)
    assert code not in codes(dataclasses.replace(found, kappa=changed.budget))


def codes(found: Any) -> set[str]:
    return {f.code for f in found.findings}


def test_sentences_where_strengths_cannot_help(tmp_path: Path) -> None:
    person = {"modelspec.usage_hint": "Write 'ohwx person' in the prompt."}
    a = make(tmp_path / "a.safetensors", 1, metadata=person)
    b = make(tmp_path / "my_LCM_speed.safetensors", 2, metadata={"modelspec.usage_hint": "Write 'sks woman'"})
    sd15 = {"unet.input_blocks.4.1.transformer_blocks.0.attn2.to_k": (768, 9)}
    c = make(tmp_path / "c.safetensors", 3, layers=sd15, conv=False)
    twice = check([a, a], [0.5, 0.6])
    assert twice.verdict == "same file twice" and "strength 1.10" in twice.sentences[0]
    assert twice.names == ("a", "a (2)") and "identities" not in codes(twice)
    assert {"identities", "distilled"} <= codes(check([a, b], [0.8, 0.8]))
    other = check([a, c], [1, 1])
    assert other.verdict == "cannot work" and "'a' for sdxl, 'c' for sd15" in other.sentences[0]
    assert "strong" in codes(check([a, b], [1.2, 0.5])) and "strong" not in codes(check([a], [1.2]))


def test_the_quietest_of_a_stack_is_named(tmp_path: Path) -> None:
    files = [make(tmp_path / f"{name}.safetensors", seed) for seed, name in enumerate("abc")]

    def drowned(*strengths: float) -> list[str]:
        return [f.text for f in check(files, strengths).findings if f.code == "drowned"]

    assert drowned(1, 1, 0) == [] and drowned(0, 0, 1) == []
    assert len(drowned(1, 1, 1)) == 1  # two equal others are 1.4 times as loud as one
    (text,) = drowned(1, 0.5, 1)
    assert text.startswith("'b' is the quietest: the others together change the model 2.")


def test_a_base_tells_what_fits_and_how_large_changes_are(tmp_path: Path) -> None:
    unet = random_unet()
    base = write_checkpoint(tmp_path / "base.safetensors", unet=unet)
    name = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
    weight = unet.get_submodule(name).weight.detach()
    flat = "lora_unet_" + name.replace(".", "_")
    up, down = torch.randn(weight.shape[0], 2), torch.randn(2, weight.shape[1])
    good = {f"{flat}.lora_up.weight": up, f"{flat}.lora_down.weight": down}
    bad = {"lora_unet_nowhere.lora_up.weight": up, "lora_unet_nowhere.lora_down.weight": down}
    save_file(good, tmp_path / "g.safetensors")
    save_file(bad, tmp_path / "w.safetensors")
    found = check([tmp_path / "g.safetensors", tmp_path / "w.safetensors"], [1, 1], base)
    assert [row.matched for row in found.rows] == [1.0, 0.0]
    assert found.loudness["g"] == pytest.approx(float((up @ down).norm() / weight.norm()), rel=1e-4)
    assert found.verdict == "cannot work" and "Only 0% of the 1 layers of 'w'" in found.sentences[0]
    again = check([tmp_path / "g.safetensors"], [1], base)
    assert again.loudness["g"] == found.loudness["g"]


def test_it_is_computed_once_per_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = three(tmp_path)
    first = check(files, [1, 1, 1]).to_json()
    monkeypatch.setattr("lora_train.lora.gram._layer", lambda *_: pytest.fail("computed again"))
    renamed = files[0].rename(tmp_path / ("üé" * 50 + ".safetensors"))
    again = check([renamed, *files[1:]], [1, 1, 1]).to_json()
    assert [p["cosine"] for p in again["pairs"]] == [p["cosine"] for p in first["pairs"]]
    json.dumps(again, allow_nan=False)


def test_a_broken_cache_costs_time_and_nothing_else(tmp_path: Path) -> None:
    files = three(tmp_path)
    first = check(files, [1, 1, 1]).to_json()
    for note in (tmp_path / "cache").rglob("*.*"):
        if note.is_file():
            note.write_bytes(note.read_bytes()[:7])
    assert check(files, [1, 1, 1]).to_json() == first


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x02}q\x00.")


def _lying(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes((10**18).to_bytes(8, "little") + content[8:])


def _nan(path: Path) -> None:
    tensors = load_file(path)
    next(t for n, t in tensors.items() if "up" in n)[0, 0] = float("inf")
    save_file(tensors, path)


def _no_rank(path: Path) -> None:
    save_file({"a.lora_up.weight": torch.ones(3, 0), "a.lora_down.weight": torch.ones(0, 3)}, path)


def _loha(path: Path) -> None:
    save_file({f"x.hada_w{i}_{s}": torch.ones(2, 2) for i in (1, 2) for s in "ab"}, path)


def _twice(path: Path) -> None:
    name = "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q"
    tensors = load_file(path)
    save_file({**tensors, f"lora_unet_{name}.lora_up.weight": torch.ones(10, 4),
               f"lora_unet_{name}.lora_down.weight": torch.ones(4, 12)}, path)  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_truncated, "is cut off"), (_pickle, "pickled PyTorch file|no safetensors file"), (_lying, "ask for a header"),
        (_nan, "holds NaN or infinity in layer"), (_no_rank, "of rank 0"), (_loha, "no low-rank pairs"),
        (_twice, "changes one weight twice"), (Path.unlink, "There is no file"),
    ],
)  # fmt: skip
def test_bad_files_get_one_clear_line(tmp_path: Path, damage: Any, says: str) -> None:
    a, b = make(tmp_path / "a.safetensors", 1), make(tmp_path / "b.safetensors", 2)
    damage(b)
    with pytest.raises(LorasmithError, match=says) as error:
        check([a, b], [1, 1])
    assert str(error.value).count("\n") == 0 and "b.safetensors" in str(error.value)


def test_other_sizes_and_senseless_strengths(tmp_path: Path) -> None:
    a = make(tmp_path / "a.safetensors", 1)
    b = make(tmp_path / "b.safetensors", 2, layers={**SDXL, next(iter(SDXL)): (16, 10)})
    with pytest.raises(BadInputError, match="'a.safetensors' 10 x 12, 'b.safetensors' 10 x 16"):
        check([a, b], [1, 1])
    with pytest.raises(BadInputError, match="2 LoRAs and 1 strengths"):
        check([a, b], [1])
    with pytest.raises(BadInputError, match="no LoRA to check"):
        check([], [])
    with pytest.raises(BadInputError, match="from -20 to 20"):
        check([a], [float("nan")])
    with pytest.raises(BadInputError, match="from -20 to 20"):
        check([a], [1.0]).at([99.0])
    with pytest.raises(BadInputError, match="locked row"):
        check([a], [1.0], locked=[3])
