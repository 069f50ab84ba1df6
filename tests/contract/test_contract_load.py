"""The pack, loaded by ComfyUI's Python exactly as ComfyUI loads it, from wherever a user may put it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness.comfyui import Installation, place_pack

PROBE = Path(__file__).with_name("probe.py")
GOLDEN = Path(__file__).parents[1] / "golden" / "node_schemas.json"
HEAVY = ("diffusers", "peft", "transformers", "open_clip", "accelerate")


def probe(comfyui: Installation, pack: Path) -> dict[str, Any]:
    done = subprocess.run(
        [str(comfyui.python), "-B", str(PROBE), str(comfyui.root), str(pack)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=comfyui.root,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def loaded(comfyui: Installation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return probe(comfyui, place_pack(tmp_path_factory.mktemp("custom nodes"), "lora-smith-main"))


def test_loads_from_a_path_with_a_dash_and_a_space(loaded: dict[str, Any]) -> None:
    assert loaded["nodes"], "no node was registered"
    assert not loaded["path_changed"], "the pack changed sys.path"
    assert loaded["web_directory"] == "./web"


def test_names_of_the_pack_stay_out_of_the_global_namespace(loaded: dict[str, Any]) -> None:
    own = [name for name in loaded["new_modules"] if name.split(".")[0] in ("lora_train", "nodes", "tests")]
    assert own == []


def test_import_loads_nothing_heavy(loaded: dict[str, Any]) -> None:
    heavy = [name for name in loaded["new_modules"] if name.split(".")[0] in HEAVY]
    assert heavy == []


def test_schemas_are_the_ones_that_workflows_were_saved_with(loaded: dict[str, Any]) -> None:
    """Ids, types, order and defaults are promises to saved workflows. To record a wanted change:

    LORASMITH_UPDATE_GOLDEN=1 pytest tests/contract
    """
    seen = {node_id: facts["info"] for node_id, facts in loaded["nodes"].items()}
    if os.environ.get("LORASMITH_UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(seen, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert seen == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_execute_takes_what_the_schema_gives(loaded: dict[str, Any]) -> None:
    for node_id, facts in loaded["nodes"].items():
        given = facts["info"]["input"]
        known, taken = set(facts["input_ids"]), set(facts["execute"])
        assert taken == known or (facts["takes_any"] and taken < known), node_id
        for name, options in given.get("optional", {}).items():
            if name not in taken:
                continue
            default = facts["execute"][name]
            assert default is not None, f"{node_id}.{name} is optional and execute has no default for it"
            shown = options[1].get("default", default["default"])
            assert default["default"] == shown, f"{node_id}.{name}: Python and schema differ in the default"
        for name in given["required"]:
            assert facts["execute"][name] is None, f"{node_id}.{name} is required and execute has a default"


def test_checks_before_the_run_name_only_real_inputs(loaded: dict[str, Any]) -> None:
    for node_id, facts in loaded["nodes"].items():
        for method in ("validate_inputs", "fingerprint_inputs"):
            assert set(facts.get(method, {})) <= set(facts["input_ids"]), f"{node_id}.{method}"
