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
    text: str
    """With {value} and the names of the evidence."""


@dataclass(frozen=True)
class Rule:
    """One row."""

    code: str
    title: str
    when: tuple[Condition, ...]
    weight: float
    """0 to 1: how much it explains; the list is sorted by it."""
    evidence: str
    cures: tuple[Remedy, ...]
    any_of: tuple[Condition, ...] = ()
    """At least one of these as well, where there are any."""


def _is(name: str) -> Condition:
    return name, ">=", 0.5


BAD = (_is("test.collapsed"), _is("test.copies"), _is("test.prompt"))
_WEAKER = Remedy("strength", "0.7", "Use the LoRA at a strength of {value:g}.")
_PLANNED = Remedy("steps", "wanted", "Train {value:.0f} steps.")
_MORE = Remedy("steps", "more", "Train {value:.0f} steps.")
_FEWER = Remedy("steps", "fewer", "Train {value:.0f} steps.")
_EARLIER = Remedy("checkpoint", "", "Or take an earlier checkpoint of the same run.")


def _say(text: str) -> Remedy:
    return Remedy("advice", "", text)


def _repeated(weight: float, *when: Condition) -> Rule:
    """A few repeats explain less than many: behind training for too long, where that is found as well."""
    return Rule("duplicates", "Many photos show the same shot", when, weight,
         "{duplicates:.0f} of {photos:.0f} photos repeat another one ({names}).",
         (Remedy("drop_photos", "duplicates", "Leave out the {count} photos that repeat another one."),
          _say("Put photos from other days, places and clothes in the place of the {count} that repeat another one."),
          _FEWER), (_is("test.overfit"),))  # fmt: skip


RULES: tuple[Rule, ...] = (
    Rule("trigger_missing", "The trigger word is missing in captions",
         (("data.untriggered", ">=", 1),), 0.99,
         "{untriggered:.0f} of {photos:.0f} captions do not hold the trigger word ({names}).",
         (Remedy("caption_trigger", "", "Put the trigger word into every caption."),), (_is("test.stranger"),)),
    Rule("wrong_reference", "The test compares with another person",
         (_is("test.wrong_reference"),), 0.98,
         "The pictures agree on one person, who is not the one in the photos.",
         (_say("Give the photos that the LoRA was trained on as the reference."),)),
    _repeated(0.97, ("data.duplicates_share", ">=", 0.3)),
    _repeated(0.925, ("data.duplicates_share", ">=", 0.15), ("data.duplicates_share", "<", 0.3)),
    Rule("black_hole", "One photo swallows the others",
         (("test.hole", ">=", 0.25),), 0.95,
         "{hole:.0%} of the pictures repeat the photo {names}.",
         (Remedy("drop_photos", "hole", "Leave out {names}."), _FEWER), (_is("test.copies"),)),
    Rule("too_many_steps", "Trained for too long",
         (("train.effort", ">=", 1.4),), 0.94,
         "{steps:.0f} steps at a rate of {rate:.1e}; {wanted:.0f} steps at {wanted_rate:.1e} suit these photos: "
         "{effort:.1f} times as much.",
         (Remedy("steps", "balanced", "Train {value:.0f} steps."), _WEAKER, _EARLIER), (_is("test.overfit"),)),
    Rule("nothing_learned", "Nothing was learned",
         (_is("test.stranger"), ("train.loss_drop", "<", 0.005), ("train.effort", ">=", 0.5)), 0.93,
         "The loss fell by {loss_drop:.1%} only, after {steps:.0f} steps.",
         (Remedy("learning_rate", "double", "Train with a learning rate of {value:.1e}."), _MORE,
          _say("Check that the trigger word is in captions and prompt."))),
    Rule("rate_too_low", "The learning rate is very low",
         (_is("test.stranger"), ("train.rate_ratio", "<", 0.5)), 0.91,
         "The rate is {rate:.1e}; {wanted_rate:.1e} is usual for this family.",
         (Remedy("learning_rate", "wanted", "Train with a learning rate of {value:.1e}."), _PLANNED)),
    Rule("too_few_steps", "Not trained for long enough",
         (_is("test.stranger"), ("train.effort", "<", 0.8), ("test.overfit", "<", 0.5)), 0.9,
         "{steps:.0f} steps; {wanted:.0f} suit these photos.", (_PLANNED,)),
    Rule("always_smiling", "Always smiling",
         (("habit.smile", ">=", 0.5),), 0.86, "{smile_text}.",
         (_say("Add photos with a neutral face: at least a third of all."),
          _say("Name '{smile}' in the captions of the photos that show it."), _WEAKER)),
    Rule("one_background", "The place became a part of the subject",
         (("habit.place", ">=", 0.5),), 0.85, "{place_text}.",
         (_say("Add photos from other places: at most 2 or 3 of one."),
          Remedy("drop_photos", "same_place", "Leave out {count} photos of the same place."),
          _say("Name '{place}' in the captions of the photos that show it."))),
    Rule("one_outfit", "The clothes became a part of the subject",
         (("habit.outfit", ">=", 0.5),), 0.84, "{outfit_text}.",
         (_say("Add photos in other clothes: at most 2 or 3 of one outfit."),
          _say("Name the clothes in the captions."))),
    Rule("one_framing", "Always the same framing",
         (("habit.framing", ">=", 0.5),), 0.72, "{framing_text}.",
         (_say("Add photos from other distances: portraits, half length and full length."),)),
    Rule("other_habit", "Something was learned that belongs to the photos",
         (("habit.other", ">=", 0.5),), 0.7, "{other_text}.",
         (_say("Add photos without '{other}', or name it in the captions."),)),
    Rule("mixed_people", "Photos of somebody else",
         (("data.strangers", ">=", 1),), 0.88,
         "{strangers:.0f} of {photos:.0f} kept photos show another person ({names}).",
         (Remedy("drop_photos", "strangers", "Leave out the {count} photos of other people."),),
         (_is("test.stranger"),)),
    Rule("few_frontal", "Too few faces to the camera",
         (_is("test.stranger"), ("data.frontal", "<", 0.4)), 0.82,
         "You have {frontal_count:.0f} frontal faces in {frontal_of:.0f} photos.",
         (_say("Add sharp portraits with the face to the camera: at least 8."), _MORE)),
    Rule("few_portraits", "Too few portraits",
         (_is("test.stranger"), ("data.portrait", "<", 0.3)), 0.78,
         "{portrait_count:.0f} of {portrait_of:.0f} photos are portraits: the face is small in the others.",
         (_say("Add close portraits."), _MORE)),
    Rule("soft_photos", "Blurred photos",
         (_is("test.stranger"), ("data.blurry_share", ">=", 0.15)), 0.76,
         "{blurry:.0f} of {photos:.0f} kept photos are blurred ({names}).",
         (Remedy("drop_photos", "blurry", "Leave out the {count} blurred photos."),)),
    Rule("same_place_photos", "Many photos of one place",
         (("data.same_place_share", ">=", 0.25),), 0.66,
         "{same_place:.0f} of {photos:.0f} photos are more of a place that is there already ({names}).",
         (Remedy("drop_photos", "same_place", "Leave out {count} photos of the same place."),
          _say("Add photos from other places.")), (_is("test.overfit"),)),
    Rule("few_photos", "Too few photos",
         (("data.photos", "<", 10),), 0.64, "There are {photos:.0f} photos; 10 are the least, 20 to 30 the best.",
         (_say("Add varied photos, up to 20 to 30."), _FEWER), (*BAD, _is("test.stranger"))),
    Rule("collapsed", "The pictures are alike",
         (_is("test.collapsed"),), 0.6, "{variety:.0%} of the variety is left.",
         (_FEWER, _WEAKER, _say("More varied photos: clothes, places, poses and distances."))),
    Rule("prompt_ignored", "The prompt is ignored",
         (_is("test.prompt"),), 0.58, "{prompt_share:.0%} of what was asked for is shown.",
         (Remedy("strength", "lower", "Use the LoRA at a strength of {value:g}."), _FEWER,
          _say("Describe clothes, place and expression in the captions."))),
    Rule("not_the_person", "The face is not kept",
         (_is("test.stranger"),), 0.5, "{identity:.0%} of the pictures are the subject.",
         (_MORE, _say("Add sharp, frontal close-ups of the face."))),
    Rule("spoiled", "The pictures are spoiled",
         (("test.spoiled", ">=", 1),), 0.48, "{faults}.",
         (Remedy("strength", "lower", "Use the LoRA at a strength of {value:g}."),
          Remedy("learning_rate", "half", "Train with a learning rate of {value:.1e}."))),
    Rule("wide_angle", "Distorted proportions",
         (("data.near", ">=", 1),), 0.4,
         "{near:.0f} photos were taken from very near ({names}): noses become wide, and the LoRA learns it.",
         (Remedy("drop_photos", "near", "Leave out the {count} wide-angle photos."),), (("data.near_share", ">=", 0.1),
                                                                                         ("data.near", ">=", 3))),
    Rule("unstable", "The training ran out of its number range",
         (_is("train.halved"),), 0.46, "The loss became NaN and the rate was halved.",
         (Remedy("learning_rate", "half", "Train with a learning rate of {value:.1e}."),)),
)  # fmt: skip
"""In no order: the weights decide."""
