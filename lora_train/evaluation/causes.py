"""The table of causes: what has to be true, how sure that makes one, what to say, and what would cure it.

A row applies when all its conditions hold; a number that was not measured holds nothing. Sources: the guide's
table of problems; the verdict rules of the research notes (collapse with the face kept: -30 % steps or strength
0.7; prompt lost: strength -0.2; identity lost: +25 % steps and frontal close-ups).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Condition = tuple[str, Literal["<", ">="], float]
"""Name of a number, comparison, limit."""


@dataclass(frozen=True)
class Remedy:
    """A cure before its value is known. ``value`` names what :mod:`.diagnosis` works out."""

    op: Literal["steps", "learning_rate", "drop_photos", "strength", "caption_trigger", "checkpoint", "advice"]
    value: str
    says: str
    """Key of the sentence; its values are ``value``, ``names``, ``count`` and the numbers of the evidence."""


@dataclass(frozen=True)
class Rule:
    """One row. Its title is the message ``diagnosis.cause_<code>``, its evidence ``diagnosis.seen_<code>``."""

    code: str
    when: tuple[Condition, ...]
    weight: float
    """0 to 1: how much it explains; the list is sorted by it."""
    cures: tuple[Remedy, ...]
    any_of: tuple[Condition, ...] = ()
    """At least one of these as well, where there are any."""


def _is(name: str) -> Condition:
    return name, ">=", 0.5


BAD = (_is("test.collapsed"), _is("test.copies"), _is("test.prompt"))
_WEAKER = Remedy("strength", "0.7", "diagnosis.use_strength")
_PLANNED = Remedy("steps", "wanted", "diagnosis.train_steps")
_MORE = Remedy("steps", "more", "diagnosis.train_steps")
_FEWER = Remedy("steps", "fewer", "diagnosis.train_steps")
_EARLIER = Remedy("checkpoint", "", "diagnosis.earlier")


def _say(key: str) -> Remedy:
    return Remedy("advice", "", key)


def _repeated(weight: float, *when: Condition) -> Rule:
    """A few repeats explain less than many: behind training for too long, where that is found as well."""
    return Rule("duplicates", when, weight,
         (Remedy("drop_photos", "duplicates", "diagnosis.leave_duplicates"),
          _say("diagnosis.replace_duplicates"), _FEWER), (_is("test.overfit"),))  # fmt: skip


RULES: tuple[Rule, ...] = (
    Rule("trigger_missing", (("data.untriggered", ">=", 1),), 0.99,
         (Remedy("caption_trigger", "", "diagnosis.put_trigger"),), (_is("test.stranger"),)),
    Rule("wrong_reference", (_is("test.wrong_reference"),), 0.98,
         (_say("diagnosis.give_reference"),)),
    _repeated(0.97, ("data.duplicates_share", ">=", 0.3)),
    _repeated(0.925, ("data.duplicates_share", ">=", 0.15), ("data.duplicates_share", "<", 0.3)),
    Rule("black_hole", (("test.hole", ">=", 0.25),), 0.95,
         (Remedy("drop_photos", "hole", "diagnosis.leave_names"), _FEWER), (_is("test.copies"),)),
    Rule("too_many_steps", (("train.effort", ">=", 1.4),), 0.94,
         (Remedy("steps", "balanced", "diagnosis.train_steps"), _WEAKER, _EARLIER), (_is("test.overfit"),)),
    Rule("nothing_learned", (_is("test.stranger"), ("train.loss_drop", "<", 0.005), ("train.effort", ">=", 0.5)), 0.93,
         (Remedy("learning_rate", "double", "diagnosis.train_rate"), _MORE,
          _say("diagnosis.check_trigger"))),
    Rule("rate_too_low", (_is("test.stranger"), ("train.rate_ratio", "<", 0.5)), 0.91,
         (Remedy("learning_rate", "wanted", "diagnosis.train_rate"), _PLANNED)),
    Rule("too_few_steps", (_is("test.stranger"), ("train.effort", "<", 0.8), ("test.overfit", "<", 0.5)), 0.9,
         (_PLANNED,)),
    Rule("always_smiling", (("habit.smile", ">=", 0.5),), 0.86, (_say("diagnosis.add_neutral"),
          _say("diagnosis.name_smile"), _WEAKER)),
    Rule("one_background", (("habit.place", ">=", 0.5),), 0.85, (_say("diagnosis.add_places"),
          Remedy("drop_photos", "same_place", "diagnosis.leave_place"),
          _say("diagnosis.name_place"))),
    Rule("one_outfit", (("habit.outfit", ">=", 0.5),), 0.84, (_say("diagnosis.add_clothes"),
          _say("diagnosis.name_clothes"))),
    Rule("one_framing", (("habit.framing", ">=", 0.5),), 0.72, (_say("diagnosis.add_distances"),)),
    Rule("other_habit", (("habit.other", ">=", 0.5),), 0.7, (_say("diagnosis.add_without"),)),
    Rule("mixed_people", (("data.strangers", ">=", 1),), 0.88,
         (Remedy("drop_photos", "strangers", "diagnosis.leave_strangers"),),
         (_is("test.stranger"),)),
    Rule("few_frontal", (_is("test.stranger"), ("data.frontal", "<", 0.4)), 0.82,
         (_say("diagnosis.add_frontal"), _MORE)),
    Rule("few_portraits", (_is("test.stranger"), ("data.portrait", "<", 0.3)), 0.78,
         (_say("diagnosis.add_portraits"), _MORE)),
    Rule("soft_photos", (_is("test.stranger"), ("data.blurry_share", ">=", 0.15)), 0.76,
         (Remedy("drop_photos", "blurry", "diagnosis.leave_blurry"),)),
    Rule("same_place_photos", (("data.same_place_share", ">=", 0.25),), 0.66,
         (Remedy("drop_photos", "same_place", "diagnosis.leave_place"),
          _say("diagnosis.add_other_places")), (_is("test.overfit"),)),
    Rule("few_photos", (("data.photos", "<", 10),), 0.64, (_say("diagnosis.add_varied"), _FEWER),
         (*BAD, _is("test.stranger"))),
    Rule("collapsed", (_is("test.collapsed"),), 0.6, (_FEWER, _WEAKER, _say("diagnosis.more_varied"))),
    Rule("prompt_ignored", (_is("test.prompt"),), 0.58, (Remedy("strength", "lower", "diagnosis.use_strength"), _FEWER,
          _say("diagnosis.describe"))),
    Rule("not_the_person", (_is("test.stranger"), _is("is.person")), 0.5, (_MORE, _say("diagnosis.add_closeups"))),
    Rule("not_learned", (_is("test.stranger"), ("is.person", "<", 0.5)), 0.495,
         (_MORE, _say("diagnosis.add_clear_ones"))),
    Rule("spoiled", (("test.spoiled", ">=", 1),), 0.48, (Remedy("strength", "lower", "diagnosis.use_strength"),
          Remedy("learning_rate", "half", "diagnosis.train_rate"))),
    Rule("wide_angle", (("data.near", ">=", 1),), 0.4,
         (Remedy("drop_photos", "near", "diagnosis.leave_near"),), (("data.near_share", ">=", 0.1),
                                                                                         ("data.near", ">=", 3))),
    Rule("unstable", (_is("train.halved"),), 0.46, (Remedy("learning_rate", "half", "diagnosis.train_rate"),)),
)  # fmt: skip
"""In no order: the weights decide."""
