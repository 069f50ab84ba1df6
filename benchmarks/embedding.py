"""Embedding pictures of a folder against a plain open_clip loop, and a thousand pictures judged in bounded memory.

    python benchmarks/embedding.py [--pictures 192] [--judged 1000] [--model ViT-S-32]

Both sides embed the same JPEG files with the same random weights, each in a process of its own: processor time,
and the memory on top of the loaded model as Linux counts it. The peer is the loop of open_clip's README, 64
pictures at a time. Exit code 1 when ours is slower, or needs more than half of the peer's memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
PEER_BATCH = 64
COMMON = """
import json, sys, time
from pathlib import Path
import numpy as np, torch
sys.path.insert(0, {root!r})
torch.set_num_threads(1)
paths = sorted(Path({photos!r}).glob("*.jpg"))[:{count}]

def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

def start():
    Path("/proc/self/clear_refs").write_text("5")  # the peak from now on
    return time.process_time(), memory("VmRSS")

def report(n, started, before):
    print(json.dumps({{"seconds": time.process_time() - started, "mib": memory("VmHWM") - before, "n": n}}))
"""
OURS = """
from lora_train.evaluation.embed import load_embedder
from lora_train.evaluation.looks import CHUNK, PictureFiles
embedder = load_embedder({weights!r})
pictures = PictureFiles(paths, 3 * max(embedder.size_px) // 2)
embedder.images(pictures[:1])
started, before = start()
chunks = (pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK))
report(len(np.concatenate([embedder.images(chunk) for chunk in chunks])), started, before)
"""
PEER = """
import open_clip
from PIL import Image
model, _, preprocess = open_clip.create_model_and_transforms({model!r}, pretrained={weights!r})
model.eval()
with torch.no_grad():
    model.encode_image(preprocess(Image.open(paths[0]))[None])
    (started, before), rows = start(), []
    for i in range(0, len(paths), {batch}):
        images = torch.stack([preprocess(Image.open(path)) for path in paths[i : i + {batch}]])
        features = model.encode_image(images)
        rows.append((features / features.norm(dim=-1, keepdim=True)).numpy())
report(len(np.concatenate(rows)), started, before)
"""
JUDGE = """
from lora_train.evaluation.diversity import judge_diversity
from lora_train.evaluation.embed import starter_embedder
from lora_train.evaluation.looks import PictureFiles
embedder = starter_embedder()
photos = PictureFiles(paths[:20])
judge_diversity(PictureFiles(paths[:16]), reference=photos, embedder=embedder)
started, before = start()
found = judge_diversity(PictureFiles(paths), reference=photos, embedder=embedder)
report(found.n, started, before)
"""


def make_photos(folder: Path, count: int) -> None:
    """Smooth random JPEGs of 1024 x 768."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        small = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
        small.resize((1024, 768), Image.Resampling.BICUBIC).save(folder / f"{i:05}.jpg", quality=90)


def make_weights(model: str, path: Path) -> None:
    import open_clip
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    made = open_clip.create_model(model, load_weights=False)
    save_file({k: v.contiguous() for k, v in made.state_dict().items()}, path)
    path.with_suffix(".json").write_text(json.dumps(open_clip.get_model_config(model)), "utf-8")


def measure(body: str, work: Path, name: str, count: int, weights: Path, model: str) -> dict[str, float]:
    values = {"root": str(ROOT), "photos": str(work / "photos"), "count": count,
              "weights": str(weights), "model": model, "batch": PEER_BATCH}  # fmt: skip
    script = (COMMON + body).format(**values)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=192)
    parser.add_argument("--judged", type=int, default=1000)
    parser.add_argument("--model", default="ViT-S-32")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        work = Path(folder)
        make_photos(work / "photos", max(args.pictures, args.judged))
        weights = work / f"{args.model}.safetensors"
        make_weights(args.model, weights)
        runs = {name: [measure(body, work, name, args.pictures, weights, args.model) for _ in range(args.rounds)]
                for name, body in (("ours", OURS), ("peer", PEER))}  # fmt: skip
        ours, peer = (min(runs[name], key=lambda r: r["seconds"]) for name in ("ours", "peer"))
        speed, memory = peer["seconds"] / ours["seconds"], ours["mib"] / max(peer["mib"], 1e-9)
        print(f"{args.model}, {args.pictures} JPEGs of 1024 x 768, one thread, processor time")
        for name, run in (("Lorasmith", ours), ("open_clip loop", peer)):
            print(f"{name:<16}{run['n'] / run['seconds']:>8.1f} pictures/s{run['mib']:>8.0f} MiB above the model")
        print(f"throughput {speed:.2f}x at {memory:.2f}x the memory")
        few = measure(JUDGE, work, "few", max(20, args.judged // 4), weights, args.model)
        many = measure(JUDGE, work, "many", args.judged, weights, args.model)
        for run in (few, many):
            print(
                f"judged {run['n']:>5.0f} pictures: {run['seconds']:.0f} s, {run['mib']:.0f} MiB more than 16 pictures"
            )
        bounded = many["mib"] < 300
        print("memory of judging is bounded" if bounded else "memory of judging grows too much")
    return 0 if speed >= 1.0 and memory <= 0.5 and bounded else 1


if __name__ == "__main__":
    raise SystemExit(main())
