"""Everything a diagnosis goes by, as flat numbers and lists of photos. A missing name was not measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

from ..dataset.captions import has_word
from ..say import Said, say
from ..training.plan import make_plan
from .bench import TestReport
from .training_facts import TrainingFacts
from .verdict import DiversityReport
from .words import label_words

if TYPE_CHECKING:
    from ..dataset.manifest import Dataset, Entry
    from ..training.plan import TrainPlan

Report = Union[TestReport, DiversityReport]  # noqa: UP007
SMILES = frozenset(("smiling", "laughing"))


@dataclass
class Evidence:
    """``numbers`` by name ("test.", "data." or "train." and a word), photos by name, and words for sentences."""

    numbers: dict[str, float] = field(default_factory=dict)
    photos: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: dict[str, str | list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def put(self, **numbers: float | None) -> None:
        """Add numbers under ``part_name`` as "part.name"; None is not known and left out."""
        for name, value in numbers.items():
            if value is not None:
                self.numbers[name.replace("_", ".", 1)] = float(value)


def gather(
    dataset: Dataset | None, training: TrainingFacts | None, report: Report | None, plan: TrainPlan | None
) -> Evidence:
    """The evidence of what is there, and a sentence for what is not."""
    found = Evidence()
    if report is None:
        found.unknown.append(say("diagnosis.no_test"))
    else:
        of_report(found, report)
    if dataset is None:
        found.unknown.append(say("diagnosis.no_photos"))
    else:
        of_dataset(found, dataset)
    if training is None and plan is None:
        found.unknown.append(say("diagnosis.no_training"))
    else:
        of_training(found, training, plan, dataset)
    used = training.plan if training else plan
    found.numbers["is.person"] = used is None or used.purpose == "character"
    return found


def of_report(found: Evidence, report: Report) -> None:
    """Numbers of a test; what is bad is 1, what is not is 0."""
    strength = report.strength if isinstance(report, TestReport) else 1.0
    test = report.diversity if isinstance(report, TestReport) else report
    bad = {axis.name for axis in test.axes if axis.state == "bad"}
    value = {axis.name: axis.value for axis in test.axes if axis.state != "not checked"}
    few = test.verdict == "not enough images"
    found.put(
        test_images=test.n,
        test_few=few,
        test_collapsed=None if few else "variety" in bad,
        test_copies=None if few else "copying" in bad,
        test_prompt=None if few or "prompt" not in value else "prompt" in bad,
        test_stranger=None if few or "identity" not in value else "identity" in bad,
        test_overfit=None if few else test.verdict in ("overfit", "copies training photos", "ignores the prompt"),
        test_strength=strength,
        test_variety=value.get("variety"),
        test_copy_share=value.get("copying"),
        test_prompt_share=value.get("prompt"),
        test_identity=value.get("identity"),
        test_identity_base=test.identity.base_share if test.identity else None,
        test_spoiled=len(test.faults),
        test_wrong_reference=any(_asks_for_reference(note) for note in test.notes),
    )
    found.words["faults"] = [f.text for f in test.faults]
    _of_habits(found, test)
    if test.black_hole is not None:
        copied = [c for c in test.copies if test.photo_names[c.photo] == test.black_hole]
        found.put(test_hole=len(copied) / test.n)
        found.photos["hole"] = (test.black_hole,)


def _asks_for_reference(note: str) -> bool:
    if isinstance(note, Said):
        return note.key == "verdict.other_reference"
    return "right reference set" in note  # a report of an older version


def _of_habits(found: Evidence, test: DiversityReport) -> None:
    kinds = {"place": "place", "clothes": "outfit", "expression": "smile", "shot": "framing"}
    for habit in test.habits:
        if not habit.is_habit:
            continue
        kind = kinds.get(habit.question, "other")
        if kind == "smile" and habit.label not in SMILES:
            kind = "other"
        if f"habit.{kind}" in found.numbers:
            continue
        found.numbers[f"habit.{kind}"] = habit.share
        if habit.photos_share is not None:
            found.numbers[f"habit.{kind}_photos"] = habit.photos_share
        # What is to be written into captions stays in English, as the captions are.
        found.words[kind] = label_words(habit.label) if kind == "other" else habit.label
        found.words[f"{kind}_text"] = habit.text


def of_dataset(found: Evidence, dataset: Dataset) -> None:
    """Counts of the kept photos, from the audit's shares, groups and reasons."""
    kept = dataset.kept
    found.put(data_photos=len(kept))
    for share in dataset.stats:
        if share.of and share.code != "photos":
            found.numbers[f"data.{share.code}"] = share.count / share.of
            found.numbers[f"data.{share.code}_count"] = share.count
            found.numbers[f"data.{share.code}_of"] = share.of
    copies = _surplus(dataset, ("duplicate",), 1)
    near = tuple(e.name for e in kept if _has(e, "wide_angle"))
    blind = tuple(e.name for e in kept if dataset.trigger and not has_word(e.caption, dataset.trigger))
    soft = tuple(e.name for e in kept if _has(e, "blurry"))
    strangers = tuple(e.name for e in kept if _has(e, "not_the_subject"))
    places = _surplus(dataset, ("same_background", "same_clothes_and_background", "studio_series"), 3)
    lists = {"duplicates": copies, "near": near, "untriggered": blind, "blurry": soft, "strangers": strangers,
             "same_place": places}  # fmt: skip
    for name, photos in lists.items():
        found.photos[name] = photos
        found.numbers[f"data.{name}"] = len(photos)
        found.numbers[f"data.{name}_share"] = len(photos) / max(1, len(kept))
    if not dataset.stats:
        found.unknown.append(say("diagnosis.not_audited"))


def of_training(
    found: Evidence, training: TrainingFacts | None, plan: TrainPlan | None, dataset: Dataset | None
) -> None:
    """Steps and rate against what would be planned for these photos; both count alike for how far it went."""
    used = training.plan if training else plan
    assert used is not None
    steps = training.steps if training else used.steps
    shown = steps * used.batch_size
    found.put(train_steps=steps, train_rate=used.learning_rate, train_rank=used.rank, train_shown=shown)
    found.put(train_loss_drop=training.loss_drop if training else None)
    found.put(train_halved=training.halved if training else None)
    if dataset is None or not dataset.kept:
        return
    wanted = make_plan(dataset, used.family, purpose=used.purpose, batch_size=used.batch_size)
    found.put(
        train_wanted=wanted.steps,
        train_wanted_rate=wanted.learning_rate,
        train_step_ratio=steps / wanted.steps,
        train_rate_ratio=used.learning_rate / wanted.learning_rate,
        train_effort=steps * used.learning_rate / (wanted.steps * wanted.learning_rate),
        train_per_photo=shown / len(dataset.kept),
    )


def _surplus(dataset: Dataset, kinds: Iterable[str], most: int) -> tuple[str, ...]:
    """Kept photos of groups of these kinds beyond the best ``most`` of each group."""
    kept, wanted = {e.name for e in dataset.kept}, set(kinds)
    names = []
    for group in dataset.groups:
        if group.kind in wanted:
            members = [m for m in group.members if m in kept]
            ranked = sorted(members, key=lambda m: (m != group.keeper, members.index(m)))
            names += ranked[most:]
    return tuple(dict.fromkeys(names))


def _has(entry: Entry, code: str) -> bool:
    return any(r.code == code for r in entry.reasons)
