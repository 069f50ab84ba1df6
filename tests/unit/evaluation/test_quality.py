"""Faults are told against the base's pictures."""

from __future__ import annotations

import numpy as np

from lora_train.evaluation.quality import find_faults


def scores(**values: float) -> dict[str, np.ndarray]:
    return {name: np.array([v, v, np.nan]) for name, v in values.items()}


def test_each_fault_needs_a_factor_and_a_step() -> None:
    base = scores(blur_px=1.0, noise=2.0, burnt_share=0.02, chroma=30.0)
    worse = find_faults(scores(blur_px=2.0, noise=6.0, burnt_share=0.2, chroma=50.0), base)
    assert [f.code for f in worse] == ["blurred", "grainy", "burnt", "garish"]
    assert "2.0 px wide, without the LoRA 1.0 px" in worse[0].text
    assert find_faults(scores(blur_px=1.3, noise=3.0, burnt_share=0.05, chroma=36.0), base) == ()
    assert find_faults(scores(blur_px=0.5), base) == ()  # sharper is no fault


def test_nothing_measured_says_nothing() -> None:
    assert find_faults({"noise": np.array([np.nan])}, scores(noise=1.0)) == ()
    assert find_faults({}, {}) == ()
