"""The audit says about the demo photos what their ground truth says."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora_train.audit import audit
from lora_train.config import read_json
from lora_train.dataset.manifest import Dataset
from lora_train.starter import render_demo, render_style_demo

JUDGED = {"unreadable", "too_small", "blurry", "too_dark", "too_bright", "duplicate"}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, dict]:
    at = tmp_path_factory.mktemp("demo")
    truth = read_json(render_demo(at / "photos"))["photos"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORASMITH_CACHE", str(at / "cache"))
        return audit(at / "photos", analyzer=None), truth


def test_every_judged_fault_is_found(judged: tuple[Dataset, dict]) -> None:
    dataset, truth = judged
    found = {e.name: set(e.codes()) for e in dataset.entries} | {
        u.path.name: {"unreadable"} for u in dataset.unreadable
    }
    assert set(found) == set(truth)
    for name, row in truth.items():
        codes = set(row["codes"]) & JUDGED
        if "duplicate" in codes:  # one of the relatives is to be kept, whichever
            family = [name, *row["relatives"]]
            assert sum(not found[n] for n in family) == 1, family
        elif not any(name in other["relatives"] for other in truth.values()):
            assert found[name] == codes, name


def test_one_place_is_told_and_no_other(judged: tuple[Dataset, dict]) -> None:
    dataset, truth = judged
    series = [set(g.members) for g in dataset.groups if g.kind == "same_background"]
    assert series == [{n for n, row in truth.items() if "same_background" in row["codes"]}]


def test_the_audit_of_the_style_leaves_out_what_was_planted(tmp_path: Path) -> None:
    truth = read_json(render_style_demo(tmp_path / "style"))["photos"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORASMITH_CACHE", str(tmp_path / "cache"))
        dataset = audit(tmp_path / "style", analyzer=None, purpose="style")
    left_out = {entry.name for entry in dataset.entries if not entry.keep}
    planted = {name for name, row in truth.items() if not row["keep"]}
    # Of two equal files either may be the one that is kept.
    assert left_out - {"exact_copy.jpg", "print_03.jpg"} == planted - {"exact_copy.jpg"}
    assert len(left_out) == len(planted)
