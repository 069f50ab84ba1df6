"""From audit, training and test to ranked causes, each with its evidence and cures that can be applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..config import Format
from ..errors import BadInputError
from ..say import blanks, say
from .causes import RULES, Condition, Remedy, Rule
from .evidence import Evidence, Report, gather

if TYPE_CHECKING:
    from ..dataset.manifest import Dataset
    from ..training.plan import TrainPlan
    from .training_facts import TrainingFacts

FORMAT = Format("lorasmith.diagnosis", 1)
Op = Literal["steps", "learning_rate", "drop_photos", "strength", "caption_trigger", "checkpoint", "advice"]
Target = Literal["plan", "dataset", "strength", "you"]
_TARGETS: dict[str, Target] = {
    "steps": "plan", "learning_rate": "plan", "drop_photos": "dataset", "caption_trigger": "dataset",
    "strength": "strength", "checkpoint": "you", "advice": "you",
}  # fmt: skip
MIN_PHOTOS = 3
"""So many photos are never dropped below."""


@dataclass(frozen=True)
class Cure:
    """Something to do. ``value`` is a number of steps, a rate, a strength, a list of photos, or empty."""

    op: Op
    target: Target
    value: Any
    text: str


@dataclass(frozen=True)
class Cause:
    """What is wrong, and what speaks for it."""

    code: str
    title: str
    evidence: str
    numbers: dict[str, float]
    weight: float
    cures: tuple[Cure, ...]


@dataclass(frozen=True)
class Diagnosis:
    """``causes`` are ranked, the likeliest first; ``unknown`` says what could not be looked at."""

    causes: tuple[Cause, ...]
    unknown: tuple[str, ...] = ()
    verdict: str = ""

    @property
    def text(self) -> str:
        if not self.causes:
            lines = [say("diagnosis.nothing")]
        else:
            lines = [line for i, cause in enumerate(self.causes) for line in _lines(i + 1, cause)]
        return "\n".join(lines + [f"? {sentence}" for sentence in self.unknown])

    def to_json(self) -> dict[str, Any]:
        return FORMAT.pack(self)

    @classmethod
    def from_json(cls, data: Any, what: str = "") -> Diagnosis:
        """Build a diagnosis from :meth:`to_json`.

        Raises:
            BadInputError: lists everything that does not fit.
        """
        return FORMAT.unpack(cls, data, what)


def diagnose(
    *,
    dataset: Dataset | None = None,
    training: TrainingFacts | None = None,
    report: Report | None = None,
    plan: TrainPlan | None = None,
) -> Diagnosis:
    """Ranked causes from whatever is there; the more is given, the more is seen.

    Raises:
        BadInputError: nothing was given.
    """
    if dataset is None and training is None and report is None and plan is None:
        raise BadInputError(say("diagnosis.nothing_given"))
    found = gather(dataset, training, report, plan)
    causes = tuple(_cause(rule, found) for rule in RULES if _applies(rule, found.numbers))
    verdict = "" if report is None else report.verdict
    return Diagnosis(tuple(sorted(causes, key=lambda c: -c.weight)), tuple(found.unknown), verdict)


def apply_cure(
    cure: Cure, *, plan: TrainPlan | None = None, dataset: Dataset | None = None
) -> tuple[TrainPlan | None, Dataset | None, str]:
    """The plan and dataset with the cure applied, and a sentence that says what was changed.

    Raises:
        BadInputError: the cure needs a plan or a dataset that was not given, or names photos that are not there.
    """
    if cure.target == "plan":
        if plan is None:
            raise BadInputError(say("diagnosis.needs_plan", cure=cure.text))
        before = getattr(plan, cure.op)
        plan = plan.replace(**{cure.op: type(before)(cure.value)})
        said = say(f"diagnosis.changed_{cure.op}", before=before, after=getattr(plan, cure.op))
        return plan, dataset, said
    if cure.target == "dataset":
        if dataset is None:
            raise BadInputError(say("diagnosis.needs_dataset", cure=cure.text))
        return (plan, *_on_dataset(cure, dataset))
    return plan, dataset, say("diagnosis.unchanged", cure=cure.text)


def _on_dataset(cure: Cure, dataset: Dataset) -> tuple[Dataset, str]:
    from ..dataset.captions import caption_dataset

    if cure.op == "caption_trigger":
        return caption_dataset(dataset, dataset.trigger, dataset.class_word), (
            say("diagnosis.captions_changed", trigger=dataset.trigger)
        )
    names = [str(n) for n in cure.value]
    left = len(dataset.kept) - len({e.name for e in dataset.kept} & set(names))
    if left < MIN_PHOTOS:
        raise BadInputError(say("diagnosis.few_left", left=left, count=len(dataset.kept)))
    changed = dataset.override(reject=names)
    return changed, say("diagnosis.dropped", count=len(names), names=_listed(names), left=left)


def _applies(rule: Rule, numbers: Mapping[str, float]) -> bool:
    every = all(_holds(c, numbers) for c in rule.when)
    return every and (not rule.any_of or any(_holds(c, numbers) for c in rule.any_of))


def _holds(condition: Condition, numbers: Mapping[str, float]) -> bool:
    name, side, limit = condition
    if name not in numbers:
        return False
    return numbers[name] < limit if side == "<" else numbers[name] >= limit


def _cause(rule: Rule, found: Evidence) -> Cause:
    known = _known(found, rule)
    used = {c[0] for c in (*rule.when, *rule.any_of)}
    numbers = {n: v for n, v in found.numbers.items() if n in used}
    cures = [_cure(remedy, found, known) for remedy in rule.cures]
    title, seen = say(f"diagnosis.cause_{rule.code}"), _worded(f"diagnosis.seen_{rule.code}", known)
    return Cause(rule.code, title, seen, numbers, rule.weight, tuple(c for c in cures if c is not None))


def _worded(key: str, known: Mapping[str, Any]) -> str:
    return say(key, **{name: known[name] for name in blanks(key)})


def _known(found: Evidence, rule: Rule) -> dict[str, Any]:
    """What the sentences may name: numbers by their last word, words, and the photos of the rule."""
    known: dict[str, Any] = {name.split(".", 1)[1]: value for name, value in found.numbers.items()}
    known |= found.words
    lists = [remedy.value for remedy in rule.cures if remedy.op == "drop_photos"]
    if rule.code == "trigger_missing":
        lists = ["untriggered"]
    photos = found.photos.get(lists[0], ()) if lists else ()
    return known | {"names": _listed(photos), "count": len(photos)}


def _cure(remedy: Remedy, found: Evidence, known: dict[str, Any]) -> Cure | None:
    """The cure with its value; None where the value cannot be worked out, or would change nothing."""
    value: Any = ""
    if remedy.op == "drop_photos":
        value = list(found.photos.get(remedy.value, ()))
        if found.numbers.get("data.photos", 0) - len(value) < MIN_PHOTOS:
            return None
    elif remedy.op in ("steps", "learning_rate", "strength"):
        value = _VALUES[f"{remedy.op} {remedy.value}"](found.numbers) if found.numbers else None
    if value is None or value == []:
        return None
    return Cure(remedy.op, _TARGETS[remedy.op], value, _worded(remedy.says, {**known, "value": value}))


def _fewer(n: Mapping[str, float]) -> int | None:
    """30 % fewer, or the planned number where that is less."""
    if "train.steps" not in n:
        return None
    return _round(min(0.7 * n["train.steps"], n.get("train.wanted", n["train.steps"])))


def _more(n: Mapping[str, float]) -> int | None:
    """25 % more, or the planned number where that is more."""
    if "train.steps" not in n:
        return None
    return _round(max(1.25 * n["train.steps"], n.get("train.wanted", 0.0)))


def _balanced(n: Mapping[str, float]) -> int | None:
    """As many steps as give the planned effort at the rate that was used."""
    if "train.effort" not in n:
        return None
    return _round(n["train.steps"] / n["train.effort"])


def _wanted(n: Mapping[str, float]) -> int | None:
    return _round(n["train.wanted"]) if "train.wanted" in n else None


def _round(steps: float) -> int:
    return max(10, 10 * round(steps / 10))


def _rate(times: float):  # noqa: ANN202 - a function of the numbers
    return lambda n: float(f"{times * n['train.rate']:.3g}") if "train.rate" in n else None


_VALUES = {
    "steps wanted": _wanted,
    "steps more": _more,
    "steps fewer": _fewer,
    "steps balanced": _balanced,
    "learning_rate wanted": lambda n: n.get("train.wanted_rate"),
    "learning_rate double": _rate(2.0),
    "learning_rate half": _rate(0.5),
    "strength 0.7": lambda n: round(0.7 * n.get("test.strength", 1.0), 2),
    "strength lower": lambda n: round(max(0.1, n.get("test.strength", 1.0) - 0.2), 2),
}


def _lines(number: int, cause: Cause) -> list[str]:
    return [f"{number}. {cause.title}: {cause.evidence}", *(f"   > {cure.text}" for cure in cause.cures)]


def _listed(names: Sequence[str]) -> str:
    shown, more = [f"'{n}'" for n in names[:4]], len(names) - 4
    return say("verdict.names_more", names=shown, more=more) if more > 0 else say("verdict.names", names=shown)
