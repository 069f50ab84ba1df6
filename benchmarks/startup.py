"""What a pack costs before anything is done with it: in ComfyUI's start and in the page's.

    python benchmarks/startup.py [--peer FOLDER ...] [--peer-packages FOLDER] [--rounds 3] [--json FILE]

Every pack is alone in a ComfyUI of its own, with an empty base folder. Python: the seconds of ComfyUI's own
``load_custom_node`` (which imports the pack and reads its nodes), by the clock and of the processor, and how many
modules came in; byte code is there before, as it is from a pack's second start on. Web: the files that the page asks
of the pack until it is ready, their bytes before compression, and the time from the first of them asked for to the
last of them there. The least of some rounds: other programs only ever add time. ``--peer`` is a folder as it lies in
``custom_nodes``; ``--peer-packages`` is a folder with what peers import and ComfyUI's environment lacks
(``pip install --target``). Packs are copied to a temporary place.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from harness.comfyui import SHIPPED, Server, find_comfyui  # noqa: E402
from harness.frontend import launched  # noqa: E402

OURS = "lorasmith"
_CLOCK = """
import importlib.abc, json, os, sys, time

sys.path += [p for p in [os.environ.get("LORASMITH_BENCH_PACKAGES")] if p]  # behind everything that ComfyUI has

class Clock(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "nodes" or path is not None:
            return None
        sys.meta_path.remove(self)
        import importlib.util
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module
        def then_wrap(module):
            run(module)
            wrap(module)
        spec.loader.exec_module = then_wrap
        return spec

def wrap(nodes):
    load = nodes.load_custom_node
    async def timed(path, *args, **more):
        before, clock, processor = set(sys.modules), time.perf_counter(), time.process_time()
        good = await load(path, *args, **more)
        row = {"good": good, "clock_s": time.perf_counter() - clock, "processor_s": time.process_time() - processor,
               "modules": len(set(sys.modules) - before)}
        if more.get("module_parent") == "custom_nodes":
            with open(os.path.join(os.path.dirname(__file__), os.path.basename(path) + ".json"), "w") as file:
                json.dump(row, file)
        return good
    nodes.load_custom_node = timed

sys.meta_path.insert(0, Clock())
"""
_FILES = """(name) => performance.getEntriesByType("resource")
    .filter((e) => new URL(e.name).pathname.startsWith(`/extensions/${name}/`))
    .map((e) => ({ start: e.startTime, end: e.responseEnd, bytes: e.decodedBodySize }))"""
_READY = "() => !!(window.app?.extensionManager && window.app.isGraphReady)"


@dataclass(frozen=True)
class Cost:
    """Of one pack. ``good`` is False where ComfyUI could not import it: its numbers then mean nothing."""

    name: str
    good: bool
    import_clock_s: float
    import_processor_s: float
    modules: int
    web_files: int
    web_bytes: int
    web_ms: float


def place_copy(folder: Path, custom_nodes: Path) -> None:
    """A peer, copied, since some packs write into their own folder."""
    shutil.copytree(folder, custom_nodes / folder.name, ignore=shutil.ignore_patterns(".git", "__pycache__"))


def place_ours(custom_nodes: Path) -> None:
    """What of this pack is shipped, under its own name."""
    (custom_nodes / OURS).mkdir()
    for part in SHIPPED:
        source, target = ROOT / part, custom_nodes / OURS / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy2(source, target)


def compiled(python: Path, folder: Path) -> None:
    """Byte code for everything, as it is there from a pack's second start on."""
    subprocess.run([str(python), "-m", "compileall", "-q", str(folder)], check=False, capture_output=True)


def measure(name: str, place: Callable[[Path], object]) -> Cost:
    """One start of ComfyUI with one pack, and one opening of its page."""
    comfyui = find_comfyui()
    if comfyui is None:
        raise SystemExit("no ComfyUI: set COMFYUI_PATH, or install it at ~/comfy/ComfyUI")
    with tempfile.TemporaryDirectory() as base:

        def with_clock(custom_nodes: Path) -> None:
            clock = custom_nodes / "startup_clock"
            clock.mkdir(parents=True)
            (clock / "prestartup_script.py").write_text(_CLOCK, encoding="utf-8")
            (clock / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}\n", encoding="utf-8")
            place(custom_nodes)
            compiled(comfyui.python, custom_nodes)

        server = Server(comfyui, Path(base), place=with_clock)
        try:
            server.start()
            row = json.loads((Path(base) / "custom_nodes" / "startup_clock" / f"{name}.json").read_text())
            files = web_files(server, name)
        finally:
            server.stop()
    return Cost(
        name, row["good"], row["clock_s"], row["processor_s"], row["modules"], len(files),
        sum(file["bytes"] for file in files),
        max((f["end"] for f in files), default=0.0) - min((f["start"] for f in files), default=0.0),
    )  # fmt: skip


def web_files(server: Server, name: str) -> list[dict[str, Any]]:
    """What a fresh browser asked of the pack until the editor was ready, and one second on."""
    with launched() as browser:
        page = browser.new_page()
        page.add_init_script("performance.setResourceTimingBufferSize(20000)")
        page.goto(server.url)
        page.wait_for_function(_READY, timeout=180_000)
        page.wait_for_timeout(1000)
        return page.evaluate(_FILES, name)


def least(costs: list[Cost]) -> Cost:
    """Of several rounds with one pack: the least of each time."""
    return replace(
        costs[0],
        good=all(cost.good for cost in costs),
        import_clock_s=min(cost.import_clock_s for cost in costs),
        import_processor_s=min(cost.import_processor_s for cost in costs),
        web_ms=min(cost.web_ms for cost in costs),
    )


def table(costs: list[Cost]) -> str:
    """As Markdown; ratios are the peer's by ours, so that above 1 ours costs less."""
    ours = costs[0]
    lines = [
        "| Pack | Import, s (clock) | Import, s (processor) | Modules | Web files | Web KiB | Web, ms "
        "| Import by ours | KiB by ours |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cost in costs:
        if not cost.good:
            lines.append(f"| {cost.name} | could not be imported here | | | | | | | |")
            continue
        lines.append(
            f"| {cost.name} | {cost.import_clock_s:.3f} | {cost.import_processor_s:.3f} | {cost.modules} "
            f"| {cost.web_files} | {cost.web_bytes / 1024:.0f} | {cost.web_ms:.0f} "
            f"| {cost.import_processor_s / ours.import_processor_s:.1f} | {cost.web_bytes / ours.web_bytes:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Packs take turns, so that a busy minute of the machine hits all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--peer-packages", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="lorasmith-startup-")  # some peers keep settings there
    if asked.peer_packages:
        os.environ["LORASMITH_BENCH_PACKAGES"] = str(asked.peer_packages.resolve())
    packs: dict[str, Callable[[Path], object]] = {OURS: place_ours}
    packs |= {folder.name: partial(place_copy, folder.resolve()) for folder in asked.peer}
    rounds: dict[str, list[Cost]] = {name: [] for name in packs}
    for _ in range(asked.rounds):
        for name, place in packs.items():
            rounds[name].append(measure(name, place))
    costs = [least(found) for found in rounds.values()]
    text = table(costs)
    print(f"{text}\n\nload of the machine: {os.getloadavg()[0]:.1f}")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
