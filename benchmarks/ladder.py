"""A ladder of LoRAs with known faults: is the verdict right, and is the first cure?

    python benchmarks/ladder.py [--out FOLDER] [--seeds 4] [--docs docs/verdicts.md]

Six rungs on the starter base, each with another person and other photos for every seed. Trained and sampled once
into FOLDER (about 20 minutes of one core), then judged from the files in seconds: rules are mended on the same
pictures. Exit code 1 when fewer than nine of ten are right.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import torch  # noqa: E402
from ladder_pictures import RUNGS, asked, make, reference_of, rung_id  # noqa: E402
from PIL import Image  # noqa: E402

from lora_train.dataset.manifest import Dataset  # noqa: E402
from lora_train.evaluation.diagnosis import Diagnosis, diagnose  # noqa: E402
from lora_train.evaluation.diversity import DiversityReport, judge_diversity  # noqa: E402
from lora_train.evaluation.embed import starter_embedder  # noqa: E402
from lora_train.evaluation.training_facts import TrainingFacts  # noqa: E402
from lora_train.files import write_json  # noqa: E402
from lora_train.starter import DEMO_TRIGGER, starter_checkpoint  # noqa: E402

NEEDED = 0.9
DOCS_START, DOCS_END = "<!-- ladder -->", "<!-- /ladder -->"


@dataclass(frozen=True)
class Expected:
    """What is right: the verdict, the first cause, and of what kind its first cure may be."""

    verdicts: tuple[str, ...]
    cause: str
    cures: tuple[str, ...]


EXPECTED = {
    "too little": Expected(("underfit",), "too_few_steps", ("steps",)),
    "right": Expected(("good",), "", ("",)),
    "too much": Expected(("overfit", "copies training photos"), "too_many_steps", ("steps",)),
    "duplicates": Expected(("overfit", "copies training photos"), "duplicates", ("drop_photos", "advice")),
    "one background": Expected(("overfit",), "one_background", ("advice",)),
    "smiles only": Expected(("overfit",), "always_smiling", ("advice",)),
}


@dataclass(frozen=True)
class Judged:
    """One rung of one seed."""

    rung: str
    seed: int
    report: DiversityReport
    found: Diagnosis

    @property
    def cause(self) -> str:
        return self.found.causes[0].code if self.found.causes else ""

    @property
    def cure(self) -> str:
        first = self.found.causes[0].cures if self.found.causes else ()
        return first[0].op if first else ""

    @property
    def cure_text(self) -> str:
        first = self.found.causes[0].cures if self.found.causes else ()
        return first[0].text if first else "nothing to cure"

    @property
    def verdict_right(self) -> bool:
        return self.report.verdict in EXPECTED[self.rung].verdicts

    @property
    def cure_right(self) -> bool:
        expected = EXPECTED[self.rung]
        return self.cause == expected.cause and self.cure in expected.cures


def judge(out: Path, rung: str, seed: int) -> Judged:
    """Verdict and diagnosis of one rung, from its files."""
    folder, (prompts, seeds) = out / rung_id(rung, seed), asked()
    made, base = ([Image.open(f / f"{s}.png") for s in seeds] for f in (folder, out / "base"))
    dataset = Dataset.load(folder / "dataset.json")
    report = judge_diversity(
        made,
        base_images=base,
        reference=reference_of(dataset),
        prompt=prompts,
        embedder=starter_embedder(),
        trigger=DEMO_TRIGGER,
        photo_names=[entry.name for entry in dataset.kept],
    )
    facts = TrainingFacts.read(folder / "run.json")
    return Judged(rung, seed, report, diagnose(dataset=dataset, training=facts, report=report))


def table(rows: Sequence[Judged]) -> str:
    """Markdown: one line for each rung and seed."""
    lines = [
        "| rung | seed | verdict | | first cause | first cure | | variety | identity | copies | prompt |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        axes = [row.report.axis(name) for name in ("variety", "identity", "copying", "prompt")]
        numbers = " | ".join("-" if a is None or a.value is None else f"{a.value:.0%}" for a in axes)
        lines.append(
            f"| {row.rung} | {row.seed} | {row.report.verdict} | {_mark(row.verdict_right)} | {row.cause or 'none'} | "
            f"{row.cure_text} | {_mark(row.cure_right)} | {numbers} |"
        )
    verdicts, cures = sum(r.verdict_right for r in rows), sum(r.cure_right for r in rows)
    both = sum(r.verdict_right and r.cure_right for r in rows)
    lines += ["", f"{len(rows)} LoRAs: {verdicts} verdicts right, {cures} first cures right, {both} both."]
    return "\n".join(lines)


def _mark(right: bool) -> str:
    return "right" if right else "**wrong**"


def write_docs(path: Path, text: str) -> None:
    """Put the table between its two marks."""
    page = path.read_text("utf-8")
    head, _, rest = page.partition(DOCS_START)
    tail = rest.partition(DOCS_END)[2]
    path.write_text(f"{head}{DOCS_START}\n{text}\n{DOCS_END}{tail}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("ladder"), help="where photos, LoRAs and pictures are kept")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--docs", type=Path, help="a page that gets the table between its marks")
    parser.add_argument("--json", type=Path, help="every report and diagnosis")
    parser.add_argument("--judge-only", action="store_true", help="train nothing, judge the rungs that are there")
    parser.add_argument("--say", action="store_true", help="print every report in words")
    args = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    if not args.judge_only:
        make(starter_checkpoint(), args.out, range(args.seeds))
    made = time.process_time()
    every = [(r, s) for s in range(args.seeds) for r in RUNGS]
    there = [(r, s) for r, s in every if (args.out / rung_id(r, s) / "done").is_file()]
    rows = sorted((judge(args.out, r, s) for r, s in there), key=lambda row: list(EXPECTED).index(row.rung))
    if args.say:
        print("\n".join(f"\n== {r.rung}, seed {r.seed}\n{r.report.text}\n{r.found.text}" for r in rows))
    text = table(rows)
    if len(there) < len(every):
        text += f" {len(every) - len(there)} of {len(every)} rungs were not trained in this run."
    print(text)
    print(f"made in {made - started:.0f} s, judged in {time.process_time() - made:.0f} s of one core")
    if args.docs:
        write_docs(args.docs, text)
    if args.json:
        found = [{"rung": r.rung, "seed": r.seed, **r.report.to_json(), "diagnosis": r.found.to_json()} for r in rows]
        write_json(args.json, found)
    right = sum(r.verdict_right and r.cure_right for r in rows)
    return 0 if len(there) == len(every) and right >= NEEDED * len(rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
