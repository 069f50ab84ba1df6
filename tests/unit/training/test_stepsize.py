import math

import pytest
import torch

from lora_train import presets
from lora_train.training.stepsize import compared, effective_step, step_size


@pytest.mark.parametrize(
    ("rank", "alpha", "rate", "expected"),
    [
        (32, 32, 1e-4, 5.7e-4),
        (16, 16, 1e-4, 4.0e-4),
        (32, 16, 1e-4, 2.8e-4),
        (4, 1, 4e-4, 2.0e-4),
        (16, 1, 1e-4, 2.5e-5),
    ],
)
def test_known_trainers_defaults(rank, alpha, rate, expected):
    assert step_size(rank, alpha, rate) == pytest.approx(expected, rel=0.02)


def test_rslora_divides_by_the_root():
    assert step_size(64, 8, 1e-3, "rslora") == pytest.approx(8e-3)
    assert step_size(64, 8, 1e-3) == pytest.approx(1e-3)


def test_prodigy_finds_its_own():
    assert math.isnan(step_size(16, 16, 1.0, optimizer="prodigy"))
    assert "found by the optimizer" in compared(math.nan, 1.0)


@pytest.mark.parametrize(("rank", "alpha"), [(4, 4.0), (16, 16.0), (64, 16.0), (16, 1.0)])
def test_it_is_what_a_layer_does_in_its_first_step(rank, alpha):
    """The mean move of the output over ``step_size`` is one constant for all ranks and alphas."""
    torch.manual_seed(0)
    width, rate, n = 256, 1e-3, 512
    down = (torch.rand(rank, width) * 2 - 1) / width**0.5
    up = torch.zeros(width, rank, requires_grad=True)
    x, wanted = torch.randn(n, width), torch.randn(n, width)
    scale = alpha / rank
    ((x @ down.T @ up.T * scale - wanted) ** 2).mean().backward()
    torch.optim.Adam([up], lr=rate).step()
    move = (torch.randn(n, width) @ down.T @ up.T * scale).pow(2).mean().sqrt().item()
    constant = (1 / 3) ** 0.5  # the standard deviation of down's numbers times sqrt(width)
    assert move / (step_size(rank, alpha, rate) * constant) == pytest.approx(1, rel=0.15)


def test_a_preset_compares_with_itself():
    preset = presets.read("sdxl.character")

    class Plan:
        rank, alpha, learning_rate = preset["rank"], preset["alpha"], preset["learning_rate"]

    usual = effective_step(Plan())
    assert compared(usual, usual).endswith("the usual one for this base")
    assert "2 times" in compared(2 * usual, usual)
