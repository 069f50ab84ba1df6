"""Do the workbench's numbers about weights foretell what a stack does to pictures? Measured on the starter base.

    python benchmarks/conflict.py [--work FOLDER] [--settings 5] [--json FILE]

Trains three people (one of them twice), two places and a garment; stacks them in pairs, threes and fours at five
settings of the strengths; makes the same pictures with each LoRA alone and in the stack; and lets
:mod:`lora_train.evaluation` say how much of each LoRA is lost. Everything is kept in the work folder, so a run
that was stopped goes on. For the time that the check takes, see conflict_speed.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import gettempdir

import numpy as np
from conflict_damage import SCENES, STRENGTHS, Seen, alone_and_stacked, seen
from conflict_loras import SUBJECTS, subject_of, trained
from conflict_scores import DAMAGED, Case, Foretold, area, case, foretold

from lora_train.lora.balance import check
from lora_train.starter import starter_checkpoint

WORKS = 0.5
"""A LoRA that shows less than this alone has too little to lose."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path(gettempdir()) / "lorasmith_conflict")
    parser.add_argument("--settings", type=int, default=len(STRENGTHS), help="how many settings of the strengths")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    base = starter_checkpoint()
    for subject in SUBJECTS:
        print(f"LoRA {trained(subject, base, args.work).name}", flush=True)
    looks = []
    for names, strengths in alone_and_stacked(args.settings):
        looks += seen(names, strengths, base, args.work)
        print(f"{'+'.join(names)} at {strengths}: " + ", ".join(f"{s.of} {s.kept:.2f}" for s in looks[-len(names):]
              if s.names == names), flush=True)  # fmt: skip
    alone = {(s.of, s.strengths[0]): s for s in looks if len(s.names) == 1}
    cases = compare(looks, alone, base, args.work)
    found = [foretold(score, cases) for score in cases[0].scores]
    report(alone, cases, found)
    if args.json:
        content = {"cases": [asdict(c) for c in cases], "scores": [asdict(f) for f in found],
                   "alone": [asdict(s) for s in alone.values()]}  # fmt: skip
        Path(args.json).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def compare(looks: Sequence[Seen], alone: Mapping[tuple[str, float], Seen], base: Path, work: Path) -> list[Case]:
    """A case for each LoRA that was asked for in a stack, where alone it works."""
    cases = []
    for look in (look for look in looks if len(look.names) > 1):
        files = [work / f"{name}.safetensors" for name in look.names]
        found = check(files, look.strengths, base)
        by_itself = alone[look.of, look.strengths[look.names.index(look.of)]]
        if by_itself.kept >= WORKS:
            cases.append(case(found, look, by_itself))
    return cases


def report(alone: Mapping[tuple[str, float], Seen], cases: Sequence[Case], found: Sequence[Foretold]) -> None:
    print(f"\nalone, {len(SCENES)} pictures each: shown of the LoRA / of what the prompt asks for besides")
    for (name, strength), look in sorted(alone.items()):
        print(f"  {name:<10} at {strength:<4g} {look.kept:.2f} / {look.adherence:.2f}")
    damaged = [c.lost >= DAMAGED - 1e-9 for c in cases]
    print(f"\n{len(cases)} cases, {sum(damaged)} damaged (at least {DAMAGED:g} of what the LoRA shows alone is gone)")
    print(f"{'score':<28}{'rank corr.':>11}{'90 %':>16}{'adherence':>11}{'area':>7}{'limit':>8}{'above':>7}{'below':>7}"
          f"{'area with two people':>22}{'without':>9}")  # fmt: skip
    crowded = [len(people_in(c.names)) > 1 for c in cases]
    for f in sorted(found, key=lambda f: -f.area):
        within = [area(f.score, [c for c, two in zip(cases, crowded, strict=True) if two == side])
                  for side in (True, False)]  # fmt: skip
        span = f"{f.interval[0]:>8.2f} to{f.interval[1]:>5.2f}"
        print(f"{f.score:<28}{f.rank:>11.2f}{span}{f.rank_adherence:>11.2f}{f.area:>7.2f}{f.limit:>8.2f}"
              f"{f.above:>7.0%}{f.below:>7.0%}{within[0]:>22.2f}{within[1]:>9.2f}")  # fmt: skip
    by_kind(cases)


def by_kind(cases: Sequence[Case]) -> None:
    """What was lost, by what is stacked and how strongly."""
    print(f"\n{'stack':<38}{'cases':>6}{'lost':>7}{'damaged':>9}{'adherence lost':>16}")
    groups: dict[str, list[Case]] = {}
    for c in cases:
        groups.setdefault(kind_of(c.names), []).append(c)
        groups.setdefault(f"strengths {c.strengths[0]:g}, others {c.strengths[1]:g}", []).append(c)
    for name, members in sorted(groups.items()):
        lost = [c.lost for c in members]
        hurt = np.mean([value >= DAMAGED - 1e-9 for value in lost])
        gone = np.mean([c.lost_adherence for c in members])
        print(f"{name:<38}{len(members):>6}{np.mean(lost):>7.2f}{hurt:>9.0%}{gone:>16.2f}")


def people_in(names: Sequence[str]) -> set[str]:
    return {name.removesuffix("_again") for name in names if subject_of(name).kind == "person"}


def kind_of(names: Sequence[str]) -> str:
    people = people_in(names)
    if len(names) == 2 and "ann_again" in names:
        return "pair: the same person twice"
    if len(names) == 2:
        return ("pair: places and garments", "pair: a person and a place or garment", "pair: two people")[len(people)]
    return f"{len(names)} LoRAs, {len(people)} of them people"


if __name__ == "__main__":
    main()
