"""The audit says about the demo photos what their ground truth says."""

from __future__ import annotations

import pytest

from lora_train.audit import audit
from lora_train.config import read_json
from lora_train.dataset.manifest import Dataset
from lora_train.starter import render_demo

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
