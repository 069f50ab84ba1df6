"""The photo audit beside cleanvision and imagededup: same photos, one run, one core each.

    python benchmarks/audit_speed.py --peer-python /path/to/venv/bin/python [--folder PHOTOS] [--json FILE]

The peers live in an environment of their own (``pip install cleanvision imagededup``), never in
Lorasmith's. Every tool runs in a fresh process with one thread and an empty cache; the time is that of
the processor for the work itself, without imports, so that other work on the machine does not count.
"Shared" rows take what both measure: cleanvision judges darkness, brightness, blur, size, information
and duplicates; imagededup duplicates by pHash. "All" rows take every pixel measure of the
audit. The last rows are Lorasmith alone: memory for many 12-megapixel photos, duplicates among 10,000,
judging 1,000 photos again.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
WANTED_RATIO = 3.0
WANTED_MB = 1000

CLOCK = """
import contextlib, io, json, resource, sys, time
def seconds():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(r.ru_utime + r.ru_stime for r in both)
"""

OURS = (
    CLOCK
    + """
from pathlib import Path
import lora_train.audit.look as look
from lora_train.audit import DEFAULT_LIMITS, judge
from lora_train.audit.measure import MEASURES, measure_image
from lora_train.dataset.scan import scan
from lora_train.observer import NullObserver
from PIL import Image; Image.init()
names = {"all": MEASURES, "shared": ("blur_px", "light", "burnt_share", "shadow_light", "brightness", "contrast",
                                     "chroma"), "copies": ()}[sys.argv[2]]
look.measure_image = lambda frame: measure_image(frame, names)
start, wall = seconds(), time.perf_counter()
found = scan(Path(sys.argv[1]))
evidence, broken = look.look_at_all(found.photos, look.Lookers(), NullObserver(), workers=1)
verdict = judge(evidence, DEFAULT_LIMITS)
print(json.dumps({"seconds": seconds() - start, "wall": time.perf_counter() - wall, "photos": len(evidence),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
)

CLEANVISION = (
    CLOCK
    + """
from cleanvision import Imagelab
start = seconds()
with contextlib.redirect_stdout(io.StringIO()):
    lab = Imagelab(data_path=sys.argv[1], verbose=False)
    lab.find_issues(n_jobs=1, verbose=False)
print(json.dumps({"seconds": seconds() - start, "photos": len(lab.issues)}))
"""
)

IMAGEDEDUP = (
    CLOCK
    + """
from imagededup.methods import PHash
hasher = PHash(verbose=False)
start = seconds()
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    encodings = hasher.encode_images(image_dir=sys.argv[1], num_enc_workers=0)
    hasher.find_duplicates(encoding_map=encodings, max_distance_threshold=10, num_dist_workers=0)
print(json.dumps({"seconds": seconds() - start, "photos": len(encodings)}))
"""
)

JUDGE = """
import dataclasses, json, time
from made_evidence import evidence, measured
from lora_train.audit import DEFAULT_LIMITS, EvidenceSet, judge
many = EvidenceSet(tuple(evidence(f"{i}.jpg", looked=False) for i in range(10_000)))
start = time.process_time(); judge(many, DEFAULT_LIMITS); ten_thousand = time.process_time() - start
start = time.process_time(); EvidenceSet(many.items).near_copies(10); pairs = time.process_time() - start
few = EvidenceSet(many.items[:1000]); judge(few, DEFAULT_LIMITS)
start = time.process_time()
for k in range(10): judge(few, DEFAULT_LIMITS.replace(max_blur_px=0.5 + 0.1 * k))
print(json.dumps({"judge_10000": ten_thousand, "pairs_10000": pairs, "again_1000": (time.process_time() - start) / 10}))
"""


def run(python: str, code: str, *arguments: str) -> dict[str, Any]:
    """The JSON that ``code`` prints in a fresh process with one thread and an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}
        paths = os.pathsep.join((str(ROOT), str(ROOT / "tests"))) if python == sys.executable else ""
        environment = {**os.environ, **threads, "LORASMITH_CACHE": cache, "PYTHONPATH": paths}
        done = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def make_photos(folder: Path, count: int, size: tuple[int, int], kinds: int = 12) -> None:
    """``count`` different JPEG files of ``kinds`` pictures; a few bytes after the end make each its own."""
    from drawn_photos import portrait, textured
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for kind in range(min(kinds, count)):
        base = Image.blend(portrait(kind, (1000, 750)), textured(kind, 750).resize((1000, 750)), 0.35)
        data = io.BytesIO()
        base.resize(size, Image.Resampling.BICUBIC).save(data, "JPEG", quality=88)
        files.append(data.getvalue())
    for i in range(count):
        (folder / f"{i:04}.jpg").write_bytes(files[i % len(files)] + f"{i:08}".encode())


def compare(name: str, folder: Path, peer_python: str | None) -> list[dict[str, Any]]:
    """Rows of photos per second on one folder: ours beside each peer."""
    rows = []
    for peer, code, ways in (("cleanvision", CLEANVISION, ("shared", "all")), ("imagededup", IMAGEDEDUP, ("copies",))):
        theirs = run(peer_python, code, str(folder)) if peer_python else None
        for way in ways:
            ours = run(sys.executable, OURS, str(folder), way)
            speed = ours["photos"] / ours["seconds"]
            other = theirs["photos"] / theirs["seconds"] if theirs else None
            what = f"{name}: photos/s, {way}, beside {peer}{'' if theirs else ' (not installed)'}"
            rows.append(row(what, speed, other, speed / other if other else None))
    return rows


def row(what: str, ours: float, peer: float | None, ratio: float | None) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 3), "peer": None if peer is None else round(peer, 3),
            "ratio": None if ratio is None else round(ratio, 2)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer-python", help="python of an environment with cleanvision and imagededup")
    parser.add_argument("--folder", type=Path, help="photos to compare on; without, drawn ones are made")
    parser.add_argument("--photos", type=int, default=48, help="how many are made of each size")
    parser.add_argument("--memory-photos", type=int, default=1000, help="12-megapixel photos for the memory row; 0: no")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as made:
        if args.folder:
            rows += compare(args.folder.name, args.folder, args.peer_python)
        else:
            for name, size in (("12 megapixels", (4000, 3000)), ("2 megapixels", (1600, 1200))):
                make_photos(Path(made) / name, args.photos, size)
                rows += compare(name, Path(made) / name, args.peer_python)
        judged = run(sys.executable, JUDGE)
        rows.append(row("duplicates of 10,000 photos: s for all pairs", judged["pairs_10000"], None, None))
        rows.append(row("judging 10,000 photos the first time: s", judged["judge_10000"], None, None))
        rows.append(row("judging 1,000 photos again: ms", 1000 * judged["again_1000"], None, None))
        if args.memory_photos:
            make_photos(Path(made) / "many", args.memory_photos, (4000, 3000))
            many = run(sys.executable, OURS, str(Path(made) / "many"), "all")
            rows.append(row(f"{many['photos']} photos of 12 megapixels: MB at most", many["peak_mb"], None, None))
    for r in rows:
        peer = "" if r["peer"] is None else f"  peer {r['peer']:>9.3f}  ratio {r['ratio']:.2f}"
        print(f"{r['what']:<58} ours {r['ours']:>9.3f}{peer}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    slow = [r for r in rows if r["ratio"] is not None and "shared" in r["what"] and r["ratio"] < WANTED_RATIO]
    large = [r for r in rows if "MB at most" in r["what"] and r["ours"] > WANTED_MB]
    return 3 if slow or large else 0


if __name__ == "__main__":
    sys.exit(main())
