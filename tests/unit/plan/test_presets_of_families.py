"""Every family that can be trained has a plan for every purpose."""

from __future__ import annotations

import pytest

from lora_train import presets
from lora_train.families.denoising import Flow
from lora_train.families.registry import FAMILIES
from lora_train.training.plan import PURPOSES, family_resolution_px


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_every_family_has_presets(family) -> None:
    assert family.preset == family.id
    for purpose in PURPOSES:
        preset = presets.read(f"{family.preset}.{purpose}")
        assert (preset["family"], preset["purpose"]) == (family.id, purpose) and preset["note"]
        assert (preset["min_snr_gamma"] is None) == isinstance(family.traits.objective, Flow)
        assert family_resolution_px(family.id, purpose) == family.resolution_px
    ranks = [presets.read(f"{family.preset}.{purpose}")["rank"] for purpose in ("object", "character", "style")]
    assert ranks == sorted(ranks)
