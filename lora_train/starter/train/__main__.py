"""``python -m lora_train.starter.train vae|decoder|unet|embedder|publish --work DIR [--minutes M]``."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="lora_train.starter.train", description=__doc__)
    parser.add_argument("part", choices=("vae", "decoder", "unet", "embedder", "publish"))
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures, weights and curves")
    parser.add_argument("--minutes", type=float, default=30)
    args = parser.parse_args()
    if args.part in ("vae", "decoder"):
        from . import vae

        vae.train(args.work, args.minutes, "both" if args.part == "vae" else "decoder")
    elif args.part == "unet":
        from . import unet

        unet.train(args.work, args.minutes)
    elif args.part == "embedder":
        from . import embedder

        embedder.train(args.work, args.minutes)
    else:
        from .publish import publish

        print(publish(args.work))


if __name__ == "__main__":
    main()
