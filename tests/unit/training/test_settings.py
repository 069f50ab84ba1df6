"""Adapter kinds, optimizers, running means, masks and regular pictures on a UNet of a few thousand weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from lora_train.errors import BadInputError
from lora_train.families.traits import SD15
from lora_train.observer import RecordingObserver
from lora_train.training import loop
from lora_train.training.adapter import add_lora
from lora_train.training.averages import published, shown
from lora_train.training.checkpoint import load_resume, save_resume
from lora_train.training.loss import denoising_loss
from lora_train.training.plan import FORMAT, TrainPlan
from lora_train.training.schedule import extended, extension_note, learning_rate
from lora_train.training.stopping import StopFlag
from lora_train.training.verify import check_saved
from lora_train.training.written import lora_tensors

from . import tiny

INPUTS = torch.randn(1, 4, 8, 8), torch.tensor([5]), torch.randn(1, 7, tiny.WIDTH)


def _library(name: str) -> None:
    package = {"prodigy": "prodigyopt", "schedulefree": "schedulefree"}.get(name)
    if package:
        pytest.importorskip(package)


def _resumed(plan: TrainPlan, tmp_path: Path, at: int = 3) -> tuple[loop.Run, loop.Run]:
    """A run in one go, and one that was stopped at a step and goes on from its bundle."""
    straight, first, stop = tiny.run(plan), tiny.run(plan), StopFlag()
    loop.fit(straight, tiny.hooks())
    loop.fit(first, tiny.hooks(stop=stop, after_read=lambda r: stop.request("x") if r.step == at else None))
    save_resume(first, tmp_path / "resume.state")
    second = tiny.run(plan)
    load_resume(second, tmp_path / "resume.state")
    loop.fit(second, tiny.hooks())
    return straight, second


def test_a_plan_of_the_first_format_means_the_defaults() -> None:
    data = {k: v for k, v in tiny.plan().to_json().items() if k not in ("adapter", "optimizer", "keep_last")}
    assert TrainPlan.from_json({**data, "version": 1}) == tiny.plan()
    assert FORMAT.version == 2


def test_all_problems_of_a_plan_at_once() -> None:
    with pytest.raises(BadInputError) as error:
        tiny.plan(family="flux1", adapter="locon", ema_decay=2, text_encoder_rate=1e-5, keep_last=-1, prior_weight=99)
    for word in ("no convolutions", "ema_decay is 2", "SD 1.5 and SDXL", "keep_last is -1", "prior_weight is 99"):
        assert word in str(error.value)


def test_prodigy_gets_a_rate_of_one_unless_told_and_refuses_small_ones() -> None:
    assert tiny.plan().replace(optimizer="prodigy").learning_rate == 1.0
    assert tiny.plan().replace(optimizer="prodigy", learning_rate=0.5).learning_rate == 0.5
    with pytest.raises(BadInputError, match="prodigy finds the rate itself"):
        tiny.plan().replace(optimizer="prodigy", learning_rate=1e-4)


@pytest.mark.parametrize("kind", ["lora", "locon", "dora", "rslora"])
def test_every_kind_starts_as_the_base_and_returns_to_it(kind: Any) -> None:
    model = tiny.unet()
    before = model(*INPUTS).sample
    adapter = add_lora(model, tiny.TARGETS, 4, 8.0, 1, kind)
    torch.testing.assert_close(model(*INPUTS).sample, before, atol=1e-5, rtol=1e-5)
    adapter.restore(adapter.snapshot() + 0.1)
    assert float((model(*INPUTS).sample - before).abs().max()) > 1e-3
    adapter.restore(adapter.neutral())
    torch.testing.assert_close(model(*INPUTS).sample, before, atol=1e-5, rtol=1e-5)


def test_a_dora_leaves_out_layers_with_an_empty_row() -> None:
    model = tiny.unet()
    name, layer = next((n, m) for n, m in model.named_modules() if n.endswith("to_q"))
    with torch.no_grad():
        layer.weight[3] = 0
    adapter = add_lora(model, tiny.TARGETS, 2, 2.0, 1, "dora")
    assert len(adapter.factors()) == 35 and name not in adapter.factors()
    assert bool(model(*INPUTS).sample.isfinite().all())


def test_rslora_is_written_with_the_alpha_that_gives_the_trained_scale() -> None:
    model = tiny.unet()
    adapter = add_lora(model, tiny.TARGETS, 4, 8.0, 1, "rslora")
    layer = next(m for m in model.modules() if hasattr(m, "lora_A"))
    assert layer.scaling["default"] == pytest.approx(8 / 2)
    assert all(pair.scale == pytest.approx(8 / 2) for pair in adapter.factors().values())


@pytest.mark.parametrize("kind", ["locon", "dora", "rslora"])
def test_the_file_of_every_kind_is_checked_against_the_model(kind: Any, tmp_path: Path) -> None:
    from lora_train.lora.file import save_lora

    plan = tiny.plan(adapter=kind)
    model = tiny.unet()
    run = loop.setup(model, add_lora(model, tiny.TARGETS, 2, 2.0, 7, kind), tiny.data(), plan, "cpu", torch.float32)
    loop.fit(run, tiny.hooks())
    tensors = lora_tensors(run.adapter, None, SD15, model)
    assert any(name.endswith(".dora_scale") for name in tensors) == (kind == "dora")
    assert any(t.dim() == 4 and t.shape[-1] == 3 for t in tensors.values()) == (kind == "locon")
    assert check_saved(run, save_lora(tmp_path / "l.safetensors", tensors, {})) < 2e-3


def test_dora_scale_is_the_trained_weight_in_comfyuis_formula() -> None:
    model = tiny.unet()
    adapter = add_lora(model, tiny.TARGETS, 4, 8.0, 1, "dora")
    adapter.restore(adapter.neutral() + torch.randn(adapter.values.shape) * 0.1)
    tensors = lora_tensors(adapter, None, SD15, model, dtype=torch.float32)
    name, layer = next((n, m) for n, m in model.named_modules() if hasattr(m, "lora_A"))
    weight = layer.base_layer.weight
    scale = tensors["lora_unet_" + name.replace(".", "_") + ".dora_scale"]
    assert scale.dim() == weight.dim()
    changed = weight + adapter.factors()[name].delta().view(weight.shape)
    lengths = weight.flatten(1).norm(dim=1).view_as(scale)
    layer.merge()
    torch.testing.assert_close(changed * scale / lengths, layer.base_layer.weight, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "adamw"},
        {"optimizer": "prodigy", "learning_rate": 1.0},
        {"optimizer": "schedulefree"},
        {"ema_decay": 0.9},
        {"adapter": "dora", "ema_decay": 0.5},
        {"adapter": "locon"},
        {"adapter": "rslora", "schedule": "cosine"},
        {"prior_weight": 0.5},
    ],
    ids=lambda changes: "-".join(str(v) for v in changes.values()),
)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(changes: dict[str, Any], tmp_path: Path) -> None:
    _library(changes.get("optimizer", ""))
    straight, second = _resumed(tiny.plan(**changes), tmp_path)
    assert second.step == straight.step == 6
    assert torch.equal(second.adapter.values, straight.adapter.values)
    assert torch.equal(published(second), published(straight))
    assert second.losses == straight.losses


@pytest.mark.parametrize("name", ["prodigy", "schedulefree"])
def test_the_optimizers_learn(name: str) -> None:
    _library(name)
    rate = {"learning_rate": 1.0} if name == "prodigy" else {}
    run = tiny.run(tiny.plan(steps=60, optimizer=name, **rate))
    loop.fit(run, tiny.hooks())
    assert run.loss_last < run.loss_first


def test_schedule_free_saves_its_average(tmp_path: Path) -> None:
    pytest.importorskip("schedulefree")
    run = tiny.run(tiny.plan(optimizer="schedulefree", steps=10))
    loop.fit(run, tiny.hooks())
    ours, before = published(run), run.adapter.snapshot()
    run.optimizer.eval()  # type: ignore[attr-defined]
    torch.testing.assert_close(ours, run.adapter.snapshot(), rtol=0, atol=1e-7)
    assert not torch.equal(ours, before)


@pytest.mark.parametrize(
    ("name", "package"), [("prodigy", "prodigyopt"), ("schedulefree", "schedulefree"), ("adamw8bit", "bitsandbytes")]
)
def test_a_missing_library_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    rate = {"learning_rate": 1.0} if name == "prodigy" else {}
    with pytest.raises(BadInputError, match=f"pip install {package}"):
        tiny.run(tiny.plan(optimizer=name, **rate))


def test_ema_is_the_recursion_and_is_what_is_kept() -> None:
    run = tiny.run(tiny.plan(ema_decay=0.5, steps=8))
    mean, seen = run.adapter.snapshot(), []
    for step in range(8):
        run.step = step
        loop.train_step(run)
        keep = min(0.5, (1 + step) / (10 + step))
        mean = mean + (1 - keep) * (run.adapter.snapshot() - mean)
        seen.append(keep)
    torch.testing.assert_close(run.average, mean)
    trained = run.adapter.snapshot()
    with shown(run):
        assert torch.equal(run.adapter.values, run.average)
        with shown(run):
            assert torch.equal(published(run), run.average)
    assert torch.equal(run.adapter.values, trained) and seen[0] < 0.5


def test_nan_takes_the_running_mean_back_too() -> None:
    run, seen = tiny.run(tiny.plan(steps=8, ema_decay=0.9)), RecordingObserver()

    def poison(r: loop.Run) -> None:
        if r.step == 3:
            with torch.no_grad():
                r.adapter.values[0] = math.nan

    loop.fit(run, tiny.hooks(seen, after_read=poison))
    assert run.rate_factor == 0.5 and bool(run.average.isfinite().all())
    assert run.best.point is not None and bool(run.best.point.values.isfinite().all())
    assert "Went back to step 3" in seen.of("alarm")[0][1]


def test_the_preview_sees_what_would_be_saved() -> None:
    run, same = tiny.run(tiny.plan(ema_decay=0.9, sample_every=3)), []
    loop.fit(run, tiny.hooks(preview=lambda r: same.append(torch.equal(r.adapter.values, r.average))))
    assert same == [True, True]


def test_masked_loss_is_the_weighted_mean_over_the_area() -> None:
    predicted, target = torch.zeros(1, 4, 4, 4), torch.ones(1, 4, 4, 4)
    target[..., :2, :] = 3.0
    places = torch.zeros(1, 1, 4, 4)
    places[..., :1, :] = 1.0
    loss = denoising_loss(predicted, target, torch.ones(1), places)
    assert float(loss.weighted) == 9.0 and float(loss.plain) == 5.0
    halves = denoising_loss(predicted, target, torch.ones(1), torch.full((1, 1, 4, 4), 0.3))
    assert float(halves.weighted) == pytest.approx(5.0)


def test_prior_preservation_adds_its_weighted_gradient() -> None:
    def gradient(weight: float) -> torch.Tensor:
        run = tiny.run(tiny.plan(prior_weight=weight))
        run.adapter.restore(run.adapter.snapshot() + 0.01)
        run.adapter.values.grad.zero_()
        loop._learn_prior(run, run.prior) if weight else None
        return run.adapter.values.grad.clone()

    one, two = gradient(1.0), gradient(2.0)
    assert float(one.norm()) > 0 and float(gradient(0.0).norm()) == 0
    torch.testing.assert_close(two, 2 * one)


def test_extended_schedule_is_continuous_and_told_in_words() -> None:
    plan = extended(tiny.plan(steps=1000, warmup_steps=50, schedule="cosine", learning_rate=1e-4), 1000, 500)
    assert (plan.steps, plan.extended_from) == (1500, 1000)
    assert learning_rate(plan, 999) == pytest.approx(1e-5, rel=0.01)
    assert 1e-5 < learning_rate(plan, 1000) < 1.3e-5
    assert max(learning_rate(plan, s) for s in range(1000, 1500)) == pytest.approx(5e-5)
    assert learning_rate(plan, 1499) == pytest.approx(1e-5, rel=0.01)
    assert "500 steps more" in extension_note(plan) and "5.0e-05" in extension_note(plan)
    flat = extended(tiny.plan(steps=10, learning_rate=1e-4), 10, 5)
    assert learning_rate(flat, 12) == 1e-4 and "same learning rate" in extension_note(flat)


def test_an_extended_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    from lora_train.training.checkpoint import plan_to_go_on

    first = tiny.run(tiny.plan(schedule="cosine"))
    loop.fit(first, tiny.hooks())
    save_resume(first, tmp_path / "resume.state")
    plan = plan_to_go_on(tmp_path / "resume.state", tiny.plan(rank=8), more=4)  # the saved plan counts
    assert (plan.steps, plan.extended_from, plan.rank) == (10, 6, 2)
    assert plan.extended_share == pytest.approx(learning_rate(first.plan, 5) / first.plan.learning_rate)
    second = tiny.run(plan)
    load_resume(second, tmp_path / "resume.state")
    assert second.step == 6 and torch.equal(second.adapter.values, first.adapter.values)
    loop.fit(second, tiny.hooks())
    assert second.step == 10 and second.losses[:6] == first.losses and len(second.losses) == 10
    save_resume(second, tmp_path / "resume.state")
    assert plan_to_go_on(tmp_path / "resume.state", tiny.plan()).steps == 10  # resumed later, it is still longer


def test_an_extension_of_an_unfinished_run_only_falls() -> None:
    plan = tiny.plan(steps=1000, warmup_steps=0, schedule="cosine", learning_rate=1e-4)
    longer = extended(plan, 200, 100)
    rates = [learning_rate(longer, step) for step in range(200, 300)]
    assert rates[0] == pytest.approx(learning_rate(plan, 199)) and rates == sorted(rates, reverse=True)
    assert "falls from" in extension_note(longer)
    with pytest.raises(BadInputError, match="no step yet"):
        extended(plan, 0, 5)


def test_saves_by_step_are_loras_and_only_the_last_stay(tmp_path: Path) -> None:
    from lora_train.lora.file import read_lora
    from lora_train.lora.metadata import LoraFacts
    from lora_train.training.checkpoint import RunFolder
    from lora_train.training.snapshots import StepSaves

    def facts(run: loop.Run, step: int) -> LoraFacts:
        return LoraFacts("t", "b", "ohwx", "person", 2, 2.0, 1e-3, step, 8, 2, 64, 5, 7, 0.0, 1.0)

    saves = StepSaves(RunFolder(tmp_path / "my.safetensors"))
    run = tiny.run(tiny.plan(steps=8, sample_every=2, keep_last=2))
    loop.fit(run, tiny.hooks(after_read=lambda r: saves.offer(r, facts)))
    assert [path.name for path in saves.kept()] == ["my_step000006.safetensors", "my_step000008.safetensors"]
    last = read_lora(saves.kept()[-1]).layers
    assert len(last) == 36
    none = StepSaves(RunFolder(tmp_path / "no.safetensors"))
    loop.fit(tiny.run(), tiny.hooks(after_read=lambda r: none.offer(r, facts)))
    assert none.kept() == []
