"""Schedule, noise, loss, batches and the choice of the best point: exact values and properties."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch

from lora_train.families.denoising import Diffusion, Flow, Prediction
from lora_train.training.batches import Batches
from lora_train.training.best import SETTLED_STEPS, Best, Point, Smoothed
from lora_train.training.loss import denoising_loss
from lora_train.training.noise import (
    add_noise,
    alphas_cumprod,
    draw_noise,
    snr,
    stratified_timesteps,
    zero_terminal,
)
from lora_train.training.objective import DiffusionNoising, prepare


def test_schedule_is_that_of_diffusers() -> None:
    from diffusers import DDPMScheduler

    theirs = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod
    torch.testing.assert_close(alphas_cumprod(), theirs, rtol=1e-4, atol=1e-6)


def test_add_noise_is_that_of_diffusers() -> None:
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    x, eps, t = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2), torch.tensor([0, 500, 999])
    torch.testing.assert_close(add_noise(x, eps, alphas_cumprod()[t]), scheduler.add_noise(x, eps, t))


def _diffusion(prediction: Prediction, abar: list[float]) -> DiffusionNoising:
    return DiffusionNoising(Diffusion(prediction), torch.tensor(abar))


def test_snr_and_min_snr_weight() -> None:
    times = torch.tensor([0, 1, 2])
    torch.testing.assert_close(snr(torch.tensor([0.5, 0.9, 0.1])), torch.tensor([1.0, 9.0, 1 / 9]))
    noise = _diffusion("epsilon", [0.5, 0.9, 0.1])
    torch.testing.assert_close(noise.weight(times, 5.0), torch.tensor([1.0, 5 / 9, 1.0]))
    assert noise.weight(times, None).tolist() == [1.0, 1.0, 1.0]
    velocity = _diffusion("v_prediction", [0.5, 0.9, 0.1])
    torch.testing.assert_close(velocity.weight(times, 5.0), torch.tensor([0.5, 0.5, 0.1]))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_target_is_that_of_diffusers(prediction: Prediction) -> None:
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    x, eps, t = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2), torch.tensor([0, 500, 999])
    noising = prepare(Diffusion(prediction), "cpu")
    torch.testing.assert_close(noising.noisy(x, eps, t), scheduler.add_noise(x, eps, t))
    expected = eps if prediction == "epsilon" else scheduler.get_velocity(x, eps, t)
    torch.testing.assert_close(noising.target(x, eps, t), expected)


def test_zero_terminal_schedule_is_that_of_diffusers() -> None:
    from diffusers import DDPMScheduler

    theirs = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", rescale_betas_zero_snr=True
    )
    ours = zero_terminal(alphas_cumprod())
    torch.testing.assert_close(ours, theirs.alphas_cumprod, rtol=1e-3, atol=1e-5)
    assert ours[-1] == 0


def test_flow_goes_straight_from_the_picture_to_noise() -> None:
    noising = prepare(Flow.shifted(3.0), "cpu")
    x, eps, t = torch.randn(2, 4, 2, 2), torch.randn(2, 4, 2, 2), torch.tensor([0.0, 0.25])
    noisy = noising.noisy(x, eps, t)
    torch.testing.assert_close(noisy[0], x[0])
    torch.testing.assert_close(noisy - t.view(-1, 1, 1, 1) * noising.target(x, eps, t), x)


def test_flow_times_are_logit_normal_shifted_by_the_size() -> None:
    # Esser et al. 2024, eq. 23: t = s u / (1 + (s - 1) u); a logit-normal u has the median 1/2.
    noising = prepare(Flow(0.5, 1.15), "cpu")
    for side, mu in ((32, 0.5), (128, 1.15)):
        latents = torch.zeros(401, 16, side, side)
        times = noising.times(latents, torch.Generator().manual_seed(0)).sort().values
        assert times[0] > 0 and times[-1] < 1
        expected = math.exp(mu) / (1 + math.exp(mu))
        assert float(times[200]) == pytest.approx(expected, abs=0.01)
        assert torch.equal(noising.probe_times(latents), noising.probe_times(latents))


def test_denoising_loss_by_hand() -> None:
    predicted = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    loss = denoising_loss(predicted, torch.zeros(2, 1, 1, 1), torch.tensor([1.0, 0.5]))
    assert float(loss.plain) == 5.0 and float(loss.weighted) == (1 + 4.5) / 2


@pytest.mark.parametrize("n", [1, 3, 4, 7])
def test_timesteps_cover_the_range_once_per_part(n: int) -> None:
    for seed in range(20):
        t = stratified_timesteps(n, 1000, torch.Generator().manual_seed(seed))
        assert t.dtype == torch.int64 and t.min() >= 0 and t.max() < 1000
        assert sorted((t * n // 1000).tolist()) == list(range(n))


def test_each_timestep_is_uniform_on_its_own() -> None:
    firsts = [int(stratified_timesteps(4, 1000, torch.Generator().manual_seed(s))[0]) for s in range(400)]
    assert abs(sum(firsts) / 400 - 500) < 50 and min(firsts) < 50 and max(firsts) > 950


def test_noise_offset_shifts_whole_channels() -> None:
    x = torch.zeros(2, 4, 8, 8)
    plain = draw_noise(x, 0.0, torch.Generator().manual_seed(1))
    shifted = draw_noise(x, 0.5, torch.Generator().manual_seed(1))
    shift = shifted - plain
    torch.testing.assert_close(shift, shift.mean(dim=(2, 3), keepdim=True).expand_as(shift), atol=1e-5, rtol=0)
    assert 0.1 < float(shift.std()) < 1.5


def test_a_round_shows_every_picture_in_full_batches_of_one_size() -> None:
    sizes = [(4, 8, 8)] * 5 + [(4, 8, 12)] * 2
    batches = Batches(sizes, batch_size=2, seed=3)
    assert batches.per_round == 4
    for number in range(5):
        shown = [batches.at(number * 4 + i) for i in range(4)]
        assert all(len(batch) == 2 and len({sizes[i] for i in batch}) == 1 for batch in shown)
        counts = Counter(i for batch in shown for i in batch)
        assert set(counts) == set(range(7)) and sum(counts.values()) == 8


def test_batches_are_a_function_of_seed_and_step() -> None:
    sizes = [(4, 8, 8)] * 6
    one, two, other = Batches(sizes, 4, 1), Batches(sizes, 4, 1), Batches(sizes, 4, 2)
    straight = [one.at(step) for step in range(12)]
    assert [two.at(step) for step in reversed(range(12))] == straight[::-1]
    assert [other.at(step) for step in range(12)] != straight
    assert straight[:2] != straight[2:4]


def test_a_single_picture_fills_the_batch() -> None:
    assert Batches([(4, 8, 8)], 4, 1).at(9) == [0, 0, 0, 0]


def test_smoothed_loss_has_no_start_up_error_and_halves_its_memory() -> None:
    smooth = Smoothed()
    assert smooth.value == math.inf
    assert smooth.add(2.0) == pytest.approx(2.0)
    many = Smoothed()
    many.add(1.0, 10_000)
    assert many.add(0.0, 50) == pytest.approx(0.5, abs=1e-3)


def test_best_is_the_newest_point_near_the_lowest_loss() -> None:
    best, values = Best(), torch.zeros(1)
    for step, loss in [(1, 0.5), (40, 0.9), (60, 0.80), (70, 0.83), (80, 0.90), (90, 0.835)]:
        best.offer(Point(step, loss, values))
    # The lucky 0.5 of step 1 is forgotten; 0.83 and 0.835 are within 5 % of 0.80, 0.90 is not.
    assert best.point is not None and best.point.step == 90 and best.lowest == 0.80
    best.offer(Point(100, 1.2, values))
    assert best.point.step == 90 and SETTLED_STEPS == 50
