from __future__ import annotations

import pytest

from lora_train.errors import BadInputError
from lora_train.training.overrides import AS_PLANNED, changes, overrides, step_size_line

from . import tiny

UNTOUCHED = {
    "adapter": AS_PLANNED, "optimizer": AS_PLANNED, "rank": 0, "alpha": 0.0, "learning_rate": 0.0, "ema_decay": -1.0,
    "prior_folder": "", "min_snr_gamma": -1.0, "keep_last": -1, "caption_dropout": -1.0,
}  # fmt: skip


def test_untouched_settings_change_nothing() -> None:
    assert overrides(UNTOUCHED) == {}
    plan = tiny.plan()
    assert plan.replace(**overrides(UNTOUCHED)) == plan and changes(plan, plan) == []
    assert "that of the plan" in step_size_line(plan, plan)


def test_zero_means_zero_where_it_is_a_setting() -> None:
    settings = {**UNTOUCHED, "caption_dropout": 0.0, "min_snr_gamma": 0.0, "rank": 8}
    plan = tiny.plan().replace(**overrides(settings))
    assert (plan.caption_dropout, plan.min_snr_gamma, plan.rank) == (0.0, None, 8)
    lines = changes(tiny.plan(), plan)
    assert lines == ["rank: 2 \u2192 8", "min snr gamma: 5 \u2192 off", "caption dropout: 0.1 \u2192 0"]
    assert "0.5 times the 1.4e-02 of the plan" in step_size_line(tiny.plan(), plan)


def test_prodigy_brings_its_rate_and_its_step_cannot_be_told() -> None:
    plan = tiny.plan().replace(**overrides({**UNTOUCHED, "optimizer": "prodigy"}))
    assert "learning rate: 0.01 \u2192 1" in changes(tiny.plan(), plan)
    assert "found by the optimizer" in step_size_line(tiny.plan(), plan)


def test_what_does_not_fit_is_said_at_once() -> None:
    with pytest.raises(BadInputError) as error:
        tiny.plan(family="zimage").replace(**overrides({"adapter": "locon", "text_encoder_rate": 1e-5}))
    assert "no convolutions" in str(error.value) and "text_encoder_rate" in str(error.value)
