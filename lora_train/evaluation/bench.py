"""A test of a LoRA: which pictures to make, and what they say when they are there. It can be reopened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import Format
from ..errors import BadInputError
from ..files import whole
from ..observer import Observer
from ..say import say
from .diversity import Looker, Purpose, judge_diversity
from .embed import Embeds, answer_probabilities
from .erase import identity_directions, without
from .prompts import PromptSuite
from .questions import load_questions
from .verdict import DiversityReport

if TYPE_CHECKING:
    from PIL.Image import Image

FORMAT = Format("lorasmith.test", 1)
REPORT_NAME = "report.json"
MADE, BASE = "with_lora", "without"


@dataclass(frozen=True)
class Shot:
    """One picture to make, once with the LoRA and once without."""

    prompt_id: str
    prompt: str
    concept: str
    check: str
    level: str
    seed: int
    width_px: int
    height_px: int

    @property
    def name(self) -> str:
        """File name; differs for all shots of a test."""
        return f"{re.sub(r'[^A-Za-z0-9_-]', '_', self.prompt_id)}_{self.seed}_{self.width_px}x{self.height_px}.png"


def plan_shots(
    suite: PromptSuite, per_prompt: int = 4, first_seed: int = 1000, sizes: Sequence[tuple[int, int]] = ((512, 512),)
) -> tuple[Shot, ...]:
    """Every prompt of a filled suite, ``per_prompt`` times at each size; no two shots share a seed.

    Raises:
        BadInputError: lists every number that is out of range, and prompts that are not filled in.
    """
    found = [] if 1 <= per_prompt <= 64 else [say("verdict.per_prompt", n=per_prompt)]
    found += [] if sizes else [say("verdict.no_size")]
    found += [say("verdict.size_range", w=w, h=h) for w, h in sizes
              if not all(32 <= side <= 4096 and side % 8 == 0 for side in (w, h))]  # fmt: skip
    found += [] if 0 <= first_seed < 2**63 else [say("verdict.seed_range", seed=first_seed)]
    found += [say("verdict.not_filled")] if any("{" in p.text for p in suite.prompts) else []
    BadInputError.collect(found)
    rows = [(p, size) for p in suite.prompts for size in sizes for _ in range(per_prompt)]
    return tuple(
        Shot(p.id, p.text, p.concept, p.check, p.level, first_seed + i, *size) for i, (p, size) in enumerate(rows)
    )


def sizes_for(side_px: int, wide: bool = True) -> tuple[tuple[int, int], ...]:
    """A square of ``side_px``, and 16:9 of about the same area, both in multiples of 8 (64 from 512 px on)."""
    step = 64 if side_px >= 512 else 8
    square = round(side_px / step) * step
    width, height = (round(square * factor / step) * step for factor in (4 / 3, 3 / 4))
    return ((square, square), (width, height)) if wide else ((square, square),)


@dataclass(frozen=True)
class PictureScore:
    """What is known about one picture of the test; None where it could not be measured."""

    shot: Shot
    file: str
    base_file: str | None
    likeness: float | None
    """How near it is to the training photos, 0 (as the base) to 1 (as the photos to each other)."""
    adherence: float | None
    """Probability that the prompt's concept is there, against a plain picture of the subject."""
    base_fidelity: float | None
    """Cosine to the base's picture of the same seed, the person taken out."""
    sharpness: float | None
    """Blur of the edges in pixels: small is sharp."""
    nearest_photo: str | None
    is_copy: bool
    note: str = ""


@dataclass(frozen=True)
class TestReport:
    """The test of one LoRA at one strength."""

    __test__ = False  # pytest: not a test

    lora: str
    strength: float
    suite: str
    trigger: str
    class_word: str
    diversity: DiversityReport
    pictures: tuple[PictureScore, ...]
    created: str = ""

    @property
    def verdict(self) -> str:
        return self.diversity.verdict

    @property
    def text(self) -> str:
        """The verdict, and the prompts from the best followed to the worst."""
        rows = [say("verdict.concept", concept=concept, share=share) for concept, share in self.concepts().items()]
        return "\n".join([self.diversity.text, *([say("verdict.asked_and_shown")] if rows else []), *rows])

    def concepts(self) -> dict[str, float]:
        """Concept -> mean adherence of its pictures, the worst first."""
        found: dict[str, list[float]] = {}
        for one in self.pictures:
            if one.adherence is not None:
                found.setdefault(one.shot.concept, []).append(one.adherence)
        return dict(sorted(((k, float(np.mean(v))) for k, v in found.items()), key=lambda item: item[1]))

    def to_json(self) -> dict[str, Any]:
        return FORMAT.pack(self)

    @classmethod
    def from_json(cls, data: Any, what: str = "") -> TestReport:
        """Build a report from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return FORMAT.unpack(cls, data, what)


def judge_test(
    shots: Sequence[Shot],
    made: Sequence[Image],
    base: Sequence[Image] | None,
    *,
    embedder: Embeds,
    reference: Sequence[Image] | None = None,
    photo_names: Sequence[str] | None = None,
    analyzer: Looker = None,
    purpose: Purpose = "character",
    trigger: str = "",
    class_word: str = "",
    lora: str = "",
    strength: float = 1.0,
    suite: str = "",
    notes: Sequence[str] = (),
    created: str = "",
    observer: Observer | None = None,
) -> TestReport:
    """Scores and verdict of the pictures of ``shots``, in their order.

    Raises:
        BadInputError: the numbers of shots and pictures differ.
    """
    _check_counts(shots, made, base)
    found = judge_diversity(
        made,
        base_images=base,
        reference=reference,
        prompt=[s.prompt for s in shots],
        embedder=embedder,
        trigger=trigger,
        image_names=[s.name for s in shots],
        photo_names=photo_names,
        concepts=[s.check for s in shots],
        analyzer=analyzer,
        purpose=purpose,
        notes=notes,
        observer=observer,
    )
    pictures = score_pictures(shots, made, base, found, embedder, reference, class_word, purpose)
    return TestReport(lora, float(strength), suite, trigger, class_word, found, pictures, created)


def score_pictures(
    shots: Sequence[Shot],
    made: Sequence[Image],
    base: Sequence[Image] | None,
    found: DiversityReport,
    embedder: Embeds,
    reference: Sequence[Image] | None,
    class_word: str = "",
    purpose: Purpose = "character",
) -> tuple[PictureScore, ...]:
    """One row for each shot, from the pictures and what :func:`judge_diversity` found in them."""
    rows = embedder.images(made)
    theirs = embedder.images(base) if base else None
    photos = embedder.images(reference) if reference else None
    person = identity_directions(embedder, load_questions()) if purpose == "character" else np.zeros((0, 1))
    likeness = None if photos is None else _likeness(found, rows, photos, theirs)
    fidelity = None if theirs is None else (without(rows, person) * without(theirs, person)).sum(axis=1)
    adherence = [_shown(embedder, rows[i : i + 1], s.check, class_word) for i, s in enumerate(shots)]
    near = {n.image: n for n in found.nearest}
    return tuple(
        PictureScore(
            shot,
            f"{MADE}/{shot.name}",
            f"{BASE}/{shot.name}" if base else None,
            None if likeness is None else likeness[i],
            adherence[i],
            None if fidelity is None else float(fidelity[i]),
            found.sharpness[i] if found.sharpness else None,
            found.photo_names[near[i].photo] if i in near else None,
            i in near and near[i].is_copy,
        )
        for i, shot in enumerate(shots)
    )


def _likeness(
    found: DiversityReport, rows: np.ndarray, photos: np.ndarray, base: np.ndarray | None
) -> list[float | None]:
    """By face where faces were compared: 1 at no distance, 0.5 where the person ends; else by the embedding."""
    who = found.identity
    if who is None or who.by != "faces" or not who.face_limit:
        return [float(v) for v in likenesses(rows, photos, base)]
    return [None if d is None else max(0.0, 1.0 - 0.5 * d / who.face_limit) for d in who.face_distances]


def likenesses(rows: np.ndarray, photos: np.ndarray, base: np.ndarray | None) -> np.ndarray:
    """(n,) 0 as near to the photos' mean as the base's pictures, 1 as near as the photos are to each other."""
    from .identity import closeness, closeness_left_out

    centre = photos.mean(axis=0)
    near = rows @ (centre / max(float(np.linalg.norm(centre)), 1e-12))
    own = closeness_left_out(photos) if len(photos) > 1 else 1.0
    floor = closeness(base, photos) if base is not None and len(base) else 0.0
    return np.clip((near - floor) / max(own - floor, 1e-3), 0.0, 1.0)


def _shown(embedder: Embeds, row: np.ndarray, check: str, class_word: str) -> float:
    """Probability of the concept against a picture of the subject that says nothing of it."""
    subject = class_word or "person"
    told = ((f"photo of a {subject}, {check}", f"a photo of {check}"), (f"photo of a {subject}", f"a {subject}"))
    return float(answer_probabilities(embedder, row, told)[0, 0])


def save_report(report: TestReport, folder: Path, made: Sequence[Image], base: Sequence[Image] | None = None) -> Path:
    """Write the pictures, then ``report.json``; a folder without it is no report.

    Returns:
        The path of ``report.json``.
    """
    folder = Path(folder)
    for part, pictures in ((MADE, made), (BASE, base or ())):
        for one, picture in zip(report.pictures, pictures, strict=bool(pictures)):
            with whole(folder / part / one.shot.name) as temporary:
                picture.save(temporary, "PNG")
    FORMAT.save(report, folder / REPORT_NAME)
    return folder / REPORT_NAME


def load_report(path: Path) -> TestReport:
    """Read a report from its folder or its file.

    Raises:
        BadInputError: there is none, or it is none of ours; lists everything that does not fit.
    """
    path = Path(path)
    return FORMAT.load(TestReport, path / REPORT_NAME if path.is_dir() else path)


def report_pictures(folder: Path, report: TestReport) -> tuple[list[Path], list[Path]]:
    """The files with and without the LoRA, in the order of the shots.

    Raises:
        BadInputError: pictures are missing, or a name leads out of the folder.
    """
    folder = Path(folder).resolve()
    made = [folder / p.file for p in report.pictures]
    base = [folder / p.base_file for p in report.pictures if p.base_file]
    out = [p for p in (*made, *base) if not p.resolve().is_relative_to(folder)]
    BadInputError.collect([say("verdict.outside", path=p, folder=folder) for p in out[:1]])
    gone = [p for p in (*made, *base) if not p.is_file()]
    if gone:
        raise BadInputError(say("verdict.gone", count=len(gone), first=gone[0]))
    return made, base


def _check_counts(shots: Sequence[Shot], made: Sequence[Image], base: Sequence[Image] | None) -> None:
    found = [say("verdict.shots_number", count=len(made), shots=len(shots))] if len(made) != len(shots) else []
    if base and len(base) != len(shots):
        found.append(say("verdict.base_shots_number", count=len(base), shots=len(shots)))
    found += [say("verdict.same_shots")] * (len({s.name for s in shots}) < len(shots))
    BadInputError.collect(found)
