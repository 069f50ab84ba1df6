"""Judge generated pictures: measure them, compare them with base and photos, and say what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union

import numpy as np

from ..observer import Observer
from ..say import say
from .adherence import Adherence, mean_of, says_something, shown_share, things_asked, without
from .asked import base_prompts, check_concepts, names, prompts
from .axes import copying_axis, identity_axis, prompt_axis, variety_axis
from .copies import Nearest, compare_looks, copy_cosine_of, likenesses, nearest_photos
from .embed import Embeds
from .erase import identity_directions
from .habits import find_habits
from .identity import Identity, by_closeness, by_faces, measure_identity, traits_of
from .likeness import FaceLikeness, face_likeness
from .limits import DEFAULT_LIMITS, DiversityLimits
from .looks import Seen, look_at
from .quality import find_faults
from .questions import Question, ask, load_questions
from .similarity import group_ids, mean_pairwise
from .variety import Variety, measure_variety, ratio_to_base
from .verdict import ADVICE, DiversityReport, Parts, Spread, Verdict, advise, decide
from .words import title_words

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..faces.types import FaceAnalyzer

__all__ = ["DiversityReport", "Verdict", "decide", "judge_diversity"]

Purpose = Literal["character", "style", "object"]
Looker = Union["FaceAnalyzer", Literal["auto"], None]  # noqa: UP007


@dataclass(frozen=True)
class _Set:
    """Pictures as they were seen, with their answers and prompts."""

    seen: Seen
    answers: dict[str, np.ndarray]
    prompts: list[str] | None

    @property
    def rows(self) -> np.ndarray:
        return self.seen.rows

    def asked(self, questions: Sequence[Question]) -> list[dict[str, int]]:
        return things_asked(self.prompts, questions) if self.prompts else [{} for _ in self.rows]


def judge_diversity(
    images: Sequence[Image],
    *,
    base_images: Sequence[Image] | None = None,
    reference: Sequence[Image] | None = None,
    prompt: str | Sequence[str] | None = None,
    embedder: Embeds,
    trigger: str = "",
    limits: DiversityLimits = DEFAULT_LIMITS,
    questions: Sequence[Question] | None = None,
    image_names: Sequence[str] | None = None,
    photo_names: Sequence[str] | None = None,
    concepts: Sequence[str] | None = None,
    analyzer: Looker = None,
    purpose: Purpose = "character",
    notes: Sequence[str] = (),
    observer: Observer | None = None,
) -> DiversityReport:
    """Judge pictures made with a LoRA.

    Args:
        images: the pictures, RGB, any size: a list, or a sequence that opens files when asked.
        base_images: the same prompts and seeds without the LoRA, in the same order when there are
            several prompts.
        reference: the training photos or crops of the subject.
        prompt: one for all pictures, or one for each; pictures are compared within a prompt.
        trigger: left out of the prompt where the embedder reads it.
        image_names, photo_names: how copies are named; "picture 1", "photo 1" by default.
        concepts: for each picture the one thing to look for, in English words.
        analyzer: who compares faces; "auto" is the best one installed, None nobody.
        purpose: the traits of a person are looked for in a "character" only.
        notes: what is known already, such as pictures that were left out.

    Raises:
        BadInputError: names, prompts or concepts do not match the pictures in number.
    """
    called = names(image_names, len(images), "picture"), names(photo_names, len(reference or ()), "photo")
    texts = prompts(prompt, len(images))
    check_concepts(concepts, len(images))
    if len(images) < limits.min_images:
        return _too_few(images, embedder, limits, called, notes)
    looker, missing = _looker(analyzer, purpose)
    asked = load_questions() if questions is None else tuple(questions)

    def measured(pictures: Sequence[Image] | None, told: list[str] | None, photos: bool = False) -> _Set | None:
        if not pictures:
            return None
        seen = look_at(pictures, embedder, analyzer=looker, parts=not photos, flipped=photos, observer=observer)
        return _Set(seen, ask(embedder, seen.rows, asked), told)

    ours: _Set = measured(images, texts)  # type: ignore[assignment]
    base = measured(base_images, base_prompts(texts, base_images))
    photos = measured(reference, None, True)
    person = identity_directions(embedder, asked) if purpose == "character" else None
    variety = _variety(ours, base, embedder, person)
    identity, faces, face_notes = _identity(ours, base, photos, asked, limits, purpose, looker is not None)
    nearest = _nearest(ours, photos, embedder, limits)
    adherence = _adherence(ours, base, asked, embedder, trigger, concepts)
    axes = (
        variety_axis(variety, limits),
        identity_axis(identity, limits),
        copying_axis(nearest, limits),
        prompt_axis(adherence, limits),
    )
    moment = [q for q in asked if not q.identity]
    habits = find_habits(
        moment,
        ours.answers,
        ours.asked(moment),
        limits,
        (base.answers, base.asked(moment)) if base else None,
        photos.answers if photos else None,
    )
    few = len(images) < limits.sure_images
    verdict: Verdict = "not enough images" if few else decide(axes, habits)
    copies = tuple(m for m in nearest or () if m.is_copy)
    if few:
        advice = _few_advice(len(images), limits)
    else:
        advice = advise(verdict, axes, habits, copies, called[1], variety.n, base is not None)
    known = bool(np.isfinite(variety.similarity.value))
    return DiversityReport(
        verdict=verdict,
        n=variety.n,
        vendi=variety.vendi,
        mean_similarity=variety.similarity.value if known else None,
        similarity_interval=variety.similarity.interval() if known else None,
        base_similarity=variety.base_similarity.value if variety.base_similarity else None,
        axes=axes,
        identity=identity,
        copies=copies,
        advice=advice,
        image_names=called[0],
        photo_names=called[1],
        nearest=nearest or (),
        habits=habits,
        faults=find_faults(ours.seen.scores, base.seen.scores) if base else (),
        spreads=_spreads(ours, moment, limits),
        parts=_parts(ours, base, known),
        sharpness=tuple(round(float(b), 3) if np.isfinite(b) else None for b in ours.seen.scores["blur_px"]),
        notes=(*notes, *missing, *face_notes),
    )


def _variety(ours: _Set, base: _Set | None, embedder: Embeds, person: np.ndarray | None) -> Variety:
    return measure_variety(
        ours.rows,
        embedder.calibration.unrelated_cosine,
        ours.prompts,
        base.rows if base else None,
        base.prompts if base else None,
        person,
    )


def _parts(ours: _Set, base: _Set | None, known: bool) -> Parts | None:
    """Subject and place by themselves; None where no prompt has two pictures."""
    seen, n = ours.seen, len(ours.rows)
    if not known or seen.subjects is None or seen.places is None:
        return None
    groups = group_ids(ours.prompts, n)
    subject = place = None
    if base and base.seen.subjects is not None and base.seen.places is not None and len(base.rows) >= 2:
        theirs = group_ids(base.prompts, len(base.rows))
        subject = ratio_to_base(seen.subjects, groups, base.seen.subjects, theirs)
        place = ratio_to_base(seen.places, groups, base.seen.places, theirs)
    pixels = likenesses(seen.prints.thumbs, seen.prints.thumbs)
    return Parts(
        subject,
        place,
        mean_pairwise(seen.subjects, groups).value,
        mean_pairwise(seen.places, groups).value,
        float((pixels.sum() - n) / (n * (n - 1))),
    )


def _spreads(ours: _Set, questions: Sequence[Question], limits: DiversityLimits) -> tuple[Spread, ...]:
    found = []
    for question in questions:
        votes = np.bincount(ours.answers[question.id].argmax(axis=1), minlength=len(question.labels))
        counts = {q: int(n) for q, n in zip(question.labels, votes, strict=True) if n}
        found.append(Spread(title_words(question.id, question.title), counts))
    light = np.digitize(np.nan_to_num(ours.seen.scores["brightness"]), [limits.dim_light, limits.bright_light])
    kinds: dict[str, int] = dict(
        zip(("dim", "ordinary", "bright"), map(int, np.bincount(light, minlength=3)), strict=True)
    )
    found.append(Spread(say("looks.title_light"), kinds))
    return tuple(found)


def _looker(analyzer: Looker, purpose: Purpose) -> tuple[FaceAnalyzer | None, tuple[str, ...]]:
    """Who compares faces, and a sentence where nobody can."""
    if analyzer != "auto":
        return analyzer, ()
    if purpose != "character":
        return None, ()
    from ..faces.registry import best_analyzer, identifier

    who = identifier()
    if isinstance(who, str):
        return best_analyzer(), (say("verdict.faces_not_compared", why=who),)
    return best_analyzer(), ()


def _identity(
    ours: _Set,
    base: _Set | None,
    photos: _Set | None,
    questions: Sequence[Question],
    limits: DiversityLimits,
    purpose: Purpose,
    looked: bool,
) -> tuple[Identity | None, FaceLikeness | None, tuple[str, ...]]:
    """By faces where they can be compared, else by traits, else by the embedding."""
    if photos is None:
        return None, None, ()
    traits = traits_of(photos.answers, questions, limits.trait_share) if purpose == "character" else ()
    shown = measure_identity(
        ours.answers, traits, ours.rows, photos.rows, limits.carry_share, base.answers if base else None
    )
    if not traits:
        shown = by_closeness(shown, ours.rows, photos.rows, base.rows if base else None)
    if not looked or not _identified(photos.seen):
        return shown, None, ()
    found = face_likeness(ours.seen.people, photos.seen.people, limits, base.seen.people if base else None)
    if isinstance(found, str):
        return shown, None, (found,)
    return by_faces(shown, found), found, _face_notes(found, len(ours.rows))


def _identified(seen: Seen) -> bool:
    return any(f.identity for p in seen.people if p for f in p.faces)


def _face_notes(found: FaceLikeness, n: int) -> tuple[str, ...]:
    notes = []
    if found.several:
        notes.append(say("verdict.several_faces", count=found.several, n=n))
    if found.is_someone_else and found.median is not None:
        notes.append(say("verdict.other_reference", distance=found.median, limit=found.limit))
    return tuple(notes)


def _nearest(ours: _Set, photos: _Set | None, embedder: Embeds, limits: DiversityLimits) -> tuple[Nearest, ...] | None:
    if photos is None or photos.seen.flipped is None:
        return None
    cosines = np.maximum(ours.rows @ photos.rows.T, ours.rows @ photos.seen.flipped.T)
    return nearest_photos(
        cosines,
        compare_looks(ours.seen.prints, photos.seen.prints),
        copy_cosine=copy_cosine_of(photos.rows, embedder.calibration.copy_cosine),
        copy_bits=limits.copy_bits,
        copy_likeness=limits.copy_likeness,
    )


def _adherence(
    ours: _Set,
    base: _Set | None,
    questions: Sequence[Question],
    embedder: Embeds,
    trigger: str,
    concepts: Sequence[str] | None,
) -> Adherence | None:
    if ours.prompts is None:
        return None
    moment = [q for q in questions if not q.identity]
    asked = ours.asked(moment)
    if any(asked):
        labels = {q.id: q.labels for q in moment}
        words = dict.fromkeys(labels[q][a] for wanted in asked for q, a in wanted.items())
        theirs = mean_of(shown_share(base.asked(moment), base.answers)) if base and base.prompts else None
        return Adherence("things", mean_of(shown_share(asked, ours.answers)), theirs, tuple(words))
    texts = list(concepts) if concepts else [without(p, trigger) for p in ours.prompts]
    if not concepts and not any(says_something(p, trigger) for p in ours.prompts):
        return None
    named = tuple(dict.fromkeys(concepts)) if concepts else ()
    base_texts = texts if base and len(base.rows) == len(texts) else texts[:1] * len(base.rows) if base else []
    theirs = _text_fit(base, embedder, base_texts) if base else None
    return Adherence("text", _text_fit(ours, embedder, texts), theirs, named)


def _text_fit(pictures: _Set, embedder: Embeds, texts: Sequence[str]) -> Any:
    return mean_of(embedder.scale * (pictures.rows * embedder.texts(texts)).sum(axis=1))


def _few_advice(n: int, limits: DiversityLimits) -> tuple[str, ...]:
    count = say("verdict.pictures", n=n) if n else say("verdict.no_picture")
    return tuple(say(key, least=limits.sure_images, count=count) for key in ADVICE["not enough images"])


def _too_few(
    images: Sequence[Image],
    embedder: Embeds,
    limits: DiversityLimits,
    called: tuple[tuple[str, ...], tuple[str, ...]],
    notes: Sequence[str],
) -> DiversityReport:
    rows = embedder.images(images) if images else np.zeros((0, 1), np.float32)
    variety = measure_variety(rows, embedder.calibration.unrelated_cosine) if images else None
    pair = variety.similarity.value if variety and len(images) == 2 else None
    return DiversityReport(
        verdict="not enough images",
        n=len(images),
        vendi=variety.vendi if variety else 0.0,
        mean_similarity=pair,
        similarity_interval=None,
        base_similarity=None,
        axes=(),
        identity=None,
        copies=(),
        advice=_few_advice(len(images), limits),
        image_names=called[0],
        photo_names=called[1],
        notes=tuple(notes),
    )
