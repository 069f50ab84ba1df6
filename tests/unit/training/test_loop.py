"""The loop on a UNet of a few thousand weights: exact, repeatable, resumable, hard to break."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from lora_train.errors import BadInputError, LorasmithError
from lora_train.observer import RecordingObserver
from lora_train.training import loop
from lora_train.training.adapter import add_lora, remove_lora
from lora_train.training.checkpoint import load_resume, save_resume
from lora_train.training.draws import Draw
from lora_train.training.frugal import Selective, recompute, rehearse
from lora_train.training.loss import StepLoss
from lora_train.training.memory import LADDER
from lora_train.training.optimizers import BETAS
from lora_train.training.stopping import StopFlag

from . import tiny


def test_a_fresh_lora_changes_nothing_and_only_it_is_trained() -> None:
    model = tiny.unet()
    x, t, text = torch.randn(1, 4, 8, 8), torch.tensor([5]), torch.randn(1, 7, tiny.WIDTH)
    before = model(x, t, text).sample
    adapter = add_lora(model, tiny.TARGETS, 2, 2.0, seed=1)
    assert torch.equal(model(x, t, text).sample, before)
    trainable = [p for p in model.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trainable) == adapter.values.numel()
    assert len(trainable) == len(adapter.slots) == 2 * 36


def test_the_flat_buffer_is_the_memory_of_the_layers() -> None:
    run = tiny.run()
    with torch.no_grad():
        run.adapter.values.fill_(0.5)
    assert all(bool((p == 0.5).all()) for p in run.unet.parameters() if p.requires_grad)
    loop.train_step(run)
    gradients = torch.cat([p.grad.flatten() for p in run.unet.parameters() if p.requires_grad])
    assert gradients.norm() > 0
    assert gradients.norm() == pytest.approx(float(run.adapter.values.grad.norm()), rel=1e-5)


def test_one_flat_adamw_step_equals_one_step_per_layer() -> None:
    used = tiny.plan(warmup_steps=0, weight_decay=0.1)
    run, other = tiny.run(used), tiny.run(used)
    loop.train_step(run)
    parameters = [p for p in other.unet.parameters() if p.requires_grad]
    copies = [torch.nn.Parameter(p.detach().clone()) for p in parameters]
    optimizer = torch.optim.AdamW(copies, lr=used.learning_rate, betas=BETAS, weight_decay=0.1)
    loop.train_step(other)  # only for its clipped gradients
    for copy, parameter in zip(copies, parameters, strict=True):
        copy.grad = parameter.grad.clone()
    optimizer.step()
    trained = [p for p in run.unet.parameters() if p.requires_grad]
    for copy, parameter in zip(copies, trained, strict=True):
        torch.testing.assert_close(copy.detach(), parameter.detach(), rtol=1e-5, atol=1e-7)


def test_same_seed_same_lora_other_seed_another() -> None:
    results = []
    for seed in (7, 7, 8):
        run = tiny.run(tiny.plan(seed=seed))
        assert loop.fit(run, tiny.hooks()) == "planned_end"
        results.append(run.adapter.snapshot())
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


def test_loss_falls_on_fixed_noise_and_metrics_are_reported() -> None:
    seen = RecordingObserver()
    run = tiny.run(tiny.plan(steps=40))
    loop.fit(run, tiny.hooks(seen))
    assert loop.probe(run) == run.loss_last < run.loss_first * 0.98
    steps = [m["step"] for m in seen.of("metric") if "loss" in m]
    assert steps == list(range(1, 41)) and seen.of("progress")[-1] == (40, 40)
    assert run.best.point is not None and run.best.point.step > 20
    assert {"loss", "loss_smooth", "learning_rate", "steps_per_second"} < set(seen.of("metric")[0])


def test_learning_rate_warms_up_then_follows_the_schedule() -> None:
    constant = tiny.plan(steps=10, warmup_steps=4, learning_rate=1.0)
    assert [loop.learning_rate(constant, s) for s in (0, 1, 3, 4, 9)] == [0.25, 0.5, 1.0, 1.0, 1.0]
    cosine = tiny.plan(steps=12, warmup_steps=2, schedule="cosine", learning_rate=1.0)
    assert loop.learning_rate(cosine, 2) == 1.0
    assert loop.learning_rate(cosine, 7) == pytest.approx(0.55)
    assert loop.learning_rate(cosine, 12) == pytest.approx(0.1)


def test_caption_dropout_uses_the_empty_text() -> None:
    always = tiny.run(tiny.plan(caption_dropout=1.0))
    never = tiny.run(tiny.plan(caption_dropout=0.0))
    told = loop.draw(always, 0).told
    assert torch.equal(told.text, always.data.words.text[always.data.empty_row].expand_as(told.text))
    told = loop.draw(never, 0).told
    assert torch.equal(told.text, never.data.words.text[never.batches.at(0)])


def test_tag_dropout_uses_the_opening_of_the_caption() -> None:
    run = tiny.run(tiny.plan(caption_dropout=0.0, tag_dropout=1.0))
    told = loop.draw(run, 0).told
    assert torch.equal(told.text, run.data.words.text[[run.data.opening_row(i) for i in run.batches.at(0)]])


def test_the_two_dropouts_share_the_steps() -> None:
    run = tiny.run(tiny.plan(caption_dropout=0.3, tag_dropout=0.3, batch_size=5))
    seen = {"empty": 0, "opening": 0, "caption": 0}
    for step in range(200):
        told = loop.draw(run, step).told
        words = run.data.words.text
        for text, row in zip(told.text, run.batches.at(step), strict=True):
            seen["empty"] += torch.equal(text, words[run.data.empty_row])
            seen["opening"] += torch.equal(text, words[run.data.opening_row(row)])
            seen["caption"] += torch.equal(text, words[row])
    assert seen["empty"] == pytest.approx(300, abs=60) and seen["opening"] == pytest.approx(300, abs=60)
    assert sum(seen.values()) == 1000


def test_one_picture_at_a_time_is_the_same_step() -> None:
    whole, split = tiny.run(), tiny.run()
    split.rung = LADDER[-1]
    a, b = loop.train_step(whole), loop.train_step(split)
    torch.testing.assert_close(a, b)
    torch.testing.assert_close(whole.adapter.values, split.adapter.values, rtol=1e-4, atol=1e-6)


def test_memory_running_out_takes_the_frugal_way_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen, tries = tiny.run(tiny.plan(steps=1, warmup_steps=0)), RecordingObserver(), []
    real = loop.train_step

    def hungry(r: loop.Run) -> torch.Tensor:
        tries.append(r.rung.name)
        if len(tries) < len(LADDER):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(r)

    monkeypatch.setattr(loop, "train_step", hungry)
    assert loop.fit(run, tiny.hooks(seen)) == "planned_end"
    assert tries == [rung.name for rung in LADDER] and len(seen.of("message")) == len(LADDER) - 1


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_recomputing_some_blocks_or_all_is_the_same_step(share: float) -> None:
    usual, frugal = tiny.run(), tiny.run()
    recompute(frugal.unet, share)
    a, b = loop.train_step(usual), loop.train_step(frugal)
    torch.testing.assert_close(a, b)
    torch.testing.assert_close(usual.adapter.values, frugal.adapter.values, rtol=1e-5, atol=1e-7)


def test_every_second_block_is_recomputed() -> None:
    some = Selective(0.5)
    layer = torch.nn.Linear(2, 2)
    for _ in range(6):
        some(layer, torch.ones(1, 2))
    assert (some.calls, some.recomputed) == (6, 3)


def test_the_rehearsal_learns_nothing_and_sees_the_largest_picture() -> None:
    run, seen = tiny.run(), []
    before = run.adapter.snapshot()

    def watched(r: loop.Run, drawn: Draw) -> StepLoss:
        seen.append(tuple(drawn.latents.shape))
        return loop.predict(r, drawn)

    rehearse(run, watched)
    assert seen == [(2, 4, 8, 8)] and torch.equal(run.adapter.values, before)
    assert float(run.adapter.values.grad.abs().max()) == 0 and not run.optimizer.state


def test_memory_that_is_never_enough_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(run: loop.Run) -> torch.Tensor:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(loop, "train_step", never)
    with pytest.raises(LorasmithError, match="Memory ran out at step 1 .* Lower the resolution"):
        loop.fit(tiny.run(), tiny.hooks())


def test_nan_goes_back_to_the_last_good_factors_with_half_the_rate_once() -> None:
    run, seen = tiny.run(tiny.plan(steps=8)), RecordingObserver()

    def poison(r: loop.Run) -> None:
        if r.step == 3:
            with torch.no_grad():
                r.adapter.values[0] = math.nan

    loop.fit(run, tiny.hooks(seen, after_read=poison))
    assert run.rate_factor == 0.5 and bool(run.adapter.values.isfinite().all())
    assert "Went back to step 3" in seen.of("alarm")[0][1]


def test_nan_twice_is_one_clear_error() -> None:
    def poison(r: loop.Run) -> None:
        with torch.no_grad():
            r.adapter.values[0] = math.nan

    with pytest.raises(LorasmithError, match=r"became NaN again at step 3.*learning rate of 1\.3e-03"):
        loop.fit(tiny.run(tiny.plan(steps=8)), tiny.hooks(after_read=poison))


def test_stop_ends_after_the_step_with_the_reason() -> None:
    stop = StopFlag()
    run = tiny.run(tiny.plan(steps=50))

    def after(r: loop.Run) -> None:
        if r.step == 4:
            stop.request("stopped")
            stop.request("cancelled")

    assert loop.fit(run, tiny.hooks(stop=stop, after_read=after)) == "stopped"
    assert run.step == 4 and run.best.point is not None


def test_preview_is_called_at_its_steps() -> None:
    at: list[int] = []
    loop.fit(tiny.run(tiny.plan(sample_every=2)), tiny.hooks(preview=lambda r: at.append(r.step)))
    assert at == [2, 4, 6]


def test_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    straight = tiny.run()
    loop.fit(straight, tiny.hooks())
    first, stop = tiny.run(), StopFlag()

    def interrupt(r: loop.Run) -> None:
        if r.step == 3:
            stop.request("cancelled")

    loop.fit(first, tiny.hooks(stop=stop, after_read=interrupt))
    save_resume(first, tmp_path / "resume.state")
    second = tiny.run()
    load_resume(second, tmp_path / "resume.state")
    assert second.step == 3
    loop.fit(second, tiny.hooks())
    assert torch.equal(second.adapter.values, straight.adapter.values)
    assert second.losses == straight.losses and second.loss_first == straight.loss_first
    assert second.best.point is not None and straight.best.point is not None
    assert second.best.point.step == straight.best.point.step


def test_resume_refuses_another_training_with_all_differences(tmp_path: Path) -> None:
    run = tiny.run()
    save_resume(run, tmp_path / "resume.state")
    with pytest.raises(BadInputError) as error:
        load_resume(tiny.run(tiny.plan(rank=3, batch_size=1)), tmp_path / "resume.state")
    text = str(error.value)
    assert "rank 2, this one has 3" in text and "batch size 2, this one has 1" in text
    with pytest.raises(BadInputError, match="no interrupted run"):
        load_resume(run, tmp_path / "none.state")


def test_factors_of_a_snapshot_and_removal() -> None:
    run = tiny.run()
    loop.fit(run, tiny.hooks())
    factors = run.adapter.factors(run.adapter.snapshot())
    assert len(factors) == 36 and all(f.rank == 2 and f.alpha == 2.0 for f in factors.values())
    assert sum(float(f.up.abs().sum()) for f in factors.values()) > 0
    remove_lora(run.unet)
    assert not [n for n, _ in run.unet.named_parameters() if "lora_" in n]
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([5]), torch.randn(1, 7, tiny.WIDTH)
    assert torch.equal(run.unet(*inputs).sample, tiny.unet()(*inputs).sample)


def test_no_layer_to_train_is_a_clear_error() -> None:
    with pytest.raises(BadInputError, match="no layer to train"):
        add_lora(tiny.unet(), ["nothing_like_this"], 2, 2.0, 0)
