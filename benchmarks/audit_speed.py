"""The photo audit beside cleanvision and imagededup: same photos, one run, one core each.

    python benchmarks/audit_speed.py --peer-python /path/to/venv/bin/python [--folder PHOTOS] [--json FILE]

The peers live in an environment of their own (``pip install cleanvision imagededup``), never in
Lorasmith's. Every tool runs in a fresh process with one thread and an empty cache, once on a single photo so
that everything is imported, then on the folder; the time is that of the processor, so that other work on the
machine does not count. A "shared" row asks Lorasmith for what the peer measures and for nothing else, as
``lorasmith audit --only`` does: cleanvision judges size, darkness, brightness, information, grey, blur and
duplicates (from the whole picture; blur on a copy of 64 px, Lorasmith's on one of 1024 px); imagededup finds
duplicates by pHash. The "whole" row takes every pixel measure of the audit. The last rows are Lorasmith alone:
memory for many 12-megapixel photos, duplicates among 10,000, judging 1,000 photos again.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
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
from lora_train.audit import DEFAULT_LIMITS, Asked, EvidenceSet, judge
from lora_train.audit.look import Lookers, look_at_all
from lora_train.dataset.scan import scan
from lora_train.observer import NullObserver
asked = Asked.of(None if sys.argv[3] == "whole" else sys.argv[3].split(","))
def work(folder):
    found = scan(Path(folder))
    evidence, broken = look_at_all(found.photos, Lookers(asked=asked), NullObserver(), workers=1)
    judge(EvidenceSet(tuple(evidence), asked=asked), DEFAULT_LIMITS)
    return len(evidence)
"""
)

CLEANVISION = (
    CLOCK
    + """
from cleanvision import Imagelab
def work(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        lab = Imagelab(data_path=folder, verbose=False)
        lab.find_issues(n_jobs=1, verbose=False)
    return len(lab.issues)
"""
)

IMAGEDEDUP = (
    CLOCK
    + """
from imagededup.methods import PHash
hasher = PHash(verbose=False)
def work(folder):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        encodings = hasher.encode_images(image_dir=folder, num_enc_workers=0)
        hasher.find_duplicates(encoding_map=encodings, max_distance_threshold=10, num_dist_workers=0)
    return len(encodings)
"""
)

TIMED = """
work(sys.argv[2])
start = seconds()
photos = work(sys.argv[1])
print(json.dumps({"seconds": seconds() - start, "photos": photos,
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""

SHARED = {
    "cleanvision": (CLEANVISION, "size,sharpness,light,colour,duplicates"),
    "imagededup": (IMAGEDEDUP, "duplicates"),
}

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


def timed(python: str, code: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """What ``work`` of ``code`` took on ``folder`` after one photo to warm up."""
    with tempfile.TemporaryDirectory() as one:
        shutil.copy(next(p for p in sorted(folder.iterdir()) if p.is_file()), one)
        return run(python, code + TIMED, str(folder), one, *arguments)


def compare(name: str, folder: Path, peer_python: str | None) -> list[dict[str, Any]]:
    """Rows of photos per second on one folder: ours beside each peer, the whole audit last."""
    rows = []
    per_second: dict[str, float] = {}
    for peer, (code, only) in SHARED.items():
        ours = timed(sys.executable, OURS, folder, only)
        speed = ours["photos"] / ours["seconds"]
        what = f"{name}: photos/s, shared with {peer}"
        if peer_python is None:
            rows.append(row(f"{what} (not installed)", speed, None, None))
            continue
        theirs = timed(peer_python, code, folder)
        per_second[peer] = theirs["photos"] / theirs["seconds"]
        rows.append(row(what, speed, per_second[peer], speed / per_second[peer]))
    whole = timed(sys.executable, OURS, folder, "whole")
    speed = whole["photos"] / whole["seconds"]
    rows += [row(f"{name}: photos/s, whole, beside {peer}", speed, other, speed / other)
             for peer, other in per_second.items()] or [row(f"{name}: photos/s, whole", speed, None, None)]  # fmt: skip
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
            many = timed(sys.executable, OURS, Path(made) / "many", "whole")
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
