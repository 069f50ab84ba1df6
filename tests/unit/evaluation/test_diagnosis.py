"""Each cause from made evidence: found, ranked, said with its numbers, and cured by an operation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lora_train.dataset.manifest import Dataset, Entry, Group, Reason, Share
from lora_train.dataset.photo import Photo
from lora_train.errors import BadInputError
from lora_train.evaluation.axes import Axis
from lora_train.evaluation.causes import RULES
from lora_train.evaluation.copies import Nearest
from lora_train.evaluation.diagnosis import Cause, Cure, Diagnosis, apply_cure, diagnose
from lora_train.evaluation.habits import Habit
from lora_train.evaluation.identity import Identity
from lora_train.evaluation.quality import Fault
from lora_train.evaluation.training_facts import TrainingFacts
from lora_train.evaluation.verdict import DiversityReport, Verdict
from lora_train.say import Said, knows, speaking
from lora_train.training.plan import TrainPlan, make_plan


def entry(name: str, *codes: str, caption: str = "photo of ohwx woman") -> Entry:
    photo = Photo(Path("/p") / name, sha256=name, width_px=1024, height_px=1024, format="JPEG")
    return Entry(photo, caption=caption, reasons=tuple(Reason(c, 1, 0, c, "warn") for c in codes))


def share(code: str, count: int, of: int) -> Share:
    return Share(code, code, count, of, None, None, "good", "")


def dataset(n: int = 20, groups: tuple[Group, ...] = (), stats: tuple[Share, ...] = (), **special: str) -> Dataset:
    """``special``: file stem -> code of a reason it has."""
    entries = [entry(f"{i}.jpg", *([special[f"_{i}"]] if f"_{i}" in special else [])) for i in range(n)]
    stats = stats or (share("smile", 5, n),)
    return Dataset(Path("/p"), tuple(entries), trigger="ohwx", class_word="woman", groups=groups, stats=stats)


def report(verdict: Verdict = "good", bad: str = "", copies: int = 0, habit: Habit | None = None,
           faults: tuple[Fault, ...] = (), notes: tuple[str, ...] = ()) -> DiversityReport:  # fmt: skip
    names = ("variety", "identity", "copying", "prompt")
    axes = tuple(Axis(n, "bad" if n in bad.split() else "ok", 0.3, 0.2, 0.4, 0.5, True, n) for n in names)  # type: ignore[arg-type]
    near = tuple(Nearest(i, 0, 0.99, 2, 0.99, False, True) for i in range(copies))
    return DiversityReport(
        verdict, 8, 4.0, 0.8, (0.7, 0.9), 0.6, axes, Identity((), 7, 8, {}, 0.9, 0.9), near, (),
        tuple(f"{i}.png" for i in range(8)), ("7.jpg",), near, (habit,) if habit else (), faults, notes=notes,
    )  # fmt: skip


def training(data: Dataset, steps: float = 1.0, rate: float = 1.0, **facts: float) -> TrainingFacts:
    """A run of so many times the planned steps and rate."""
    plan = make_plan(data, "sd15")
    used = plan.replace(steps=round(plan.steps * steps), learning_rate=plan.learning_rate * rate)
    return TrainingFacts(used, used.steps, facts.get("first", 0.2), facts.get("last", 0.1), 20)


def causes(data: Dataset, test: DiversityReport, run: TrainingFacts | None = None) -> list[Cause]:
    return list(diagnose(dataset=data, training=run or training(data), report=test).causes)


DOUBLES = Group(1, "duplicate", tuple(f"{i}.jpg" for i in range(6)), "2.jpg", "")
SMILE = Habit("expression", "expression", "smiling", 8, 8, 0.3, 0.85, True)


def test_identical_pictures_of_duplicates() -> None:
    data = dataset(groups=(DOUBLES,))
    first, *rest = causes(data, report("overfit", "variety"))
    assert first.code == "duplicates" and "5 of 20 photos repeat another one" in first.evidence
    drop, _, fewer = first.cures
    assert (drop.op, drop.target) == ("drop_photos", "dataset")
    assert drop.value == ["0.jpg", "1.jpg", "3.jpg", "4.jpg", "5.jpg"]  # the keeper 2.jpg stays
    assert fewer.op == "steps" and fewer.value < training(data).steps
    assert "collapsed" in [c.code for c in rest]


def test_no_button_that_would_leave_nothing_to_train_on() -> None:
    group = Group(1, "duplicate", tuple(f"{i}.jpg" for i in range(6)), "2.jpg", "")
    first = causes(dataset(6, groups=(group,)), report("overfit", "variety"))[0]
    assert first.code == "duplicates" and [c.op for c in first.cures] == ["advice", "steps"]
    assert "in the place of the 5 that repeat" in first.cures[0].text


def test_identical_pictures_of_a_long_training_of_varied_photos() -> None:
    data = dataset()
    run = training(data, steps=3.0)
    first = causes(data, report("overfit", "variety"), run)[0]
    assert first.code == "too_many_steps" and "3.0 times as much" in first.evidence
    assert first.cures[0].op == "steps" and first.cures[0].value == pytest.approx(run.steps / 3, abs=10)


def test_a_high_rate_counts_like_more_steps() -> None:
    data = dataset()
    assert causes(data, report("overfit", "variety"), training(data, rate=2.0))[0].code == "too_many_steps"
    assert causes(data, report("overfit", "variety"), training(data))[0].code == "collapsed"


def test_many_repeats_explain_more_than_long_training_and_few_explain_less() -> None:
    for repeats, first in ((8, "duplicates"), (5, "too_many_steps")):
        group = Group(1, "duplicate", tuple(f"{i}.jpg" for i in range(repeats)), "2.jpg", "")
        data = dataset(groups=(group,))
        found = [c.code for c in causes(data, report("overfit", "variety"), training(data, steps=3.0))]
        assert found[0] == first and found.count("duplicates") == 1


def test_long_training_with_good_pictures_is_no_fault() -> None:
    data = dataset(groups=(DOUBLES,))
    assert causes(data, report(), training(data, steps=3.0)) == []
    assert "Nothing to cure" in diagnose(dataset=data, report=report()).text


def test_face_not_kept_says_how_many_frontal_photos_there_are() -> None:
    data = dataset(stats=(share("frontal", 2, 18),))
    first = causes(data, report("underfit", "identity"))[0]
    assert first.code == "few_frontal" and "You have 2 frontal faces in 18 photos" in first.evidence
    assert "frontal" not in causes(dataset(stats=(share("frontal", 12, 18),)), report("underfit", "identity"))[0].code


@pytest.mark.parametrize(("steps", "rate", "last", "code", "op"), [
    (0.2, 1.0, 0.19, "too_few_steps", "steps"), (1.0, 0.1, 0.19, "rate_too_low", "learning_rate"),
    (1.0, 1.0, 0.2, "nothing_learned", "learning_rate"), (1.0, 1.0, 0.1, "not_the_person", "steps"),
])  # fmt: skip
def test_underfit_by_its_reason(steps: float, rate: float, last: float, code: str, op: str) -> None:
    data = dataset()
    first = causes(data, report("underfit", "identity"), training(data, steps, rate, last=last))[0]
    assert first.code == code and first.cures[0].op == op
    planned = training(data)
    if code in ("too_few_steps", "not_the_person"):
        assert first.cures[0].value >= planned.steps - 5
    if code == "rate_too_low":
        assert first.cures[0].value == planned.plan.learning_rate
    if code == "nothing_learned":
        assert first.cures[0].value == pytest.approx(2 * planned.plan.learning_rate)


def test_missing_trigger_goes_first_and_is_put_in() -> None:
    data = dataset()
    data = replace(data, entries=(entry("0.jpg", caption="a woman"), *data.entries[1:]))
    first = causes(data, report("underfit", "identity"))[0]
    assert first.code == "trigger_missing" and "1 of 20 captions" in first.evidence and "'0.jpg'" in first.evidence
    _, changed, said = apply_cure(first.cures[0], dataset=data)
    assert changed is not None and all("ohwx" in e.caption for e in changed.kept)
    assert "trigger word 'ohwx'" in said


def test_always_smiling_and_one_place() -> None:
    data = dataset()
    first = causes(data, report("overfit", habit=SMILE))[0]
    assert first.code == "always_smiling" and "training photos 85%" in first.evidence
    park = replace(SMILE, question="place", title="place", label="in a park")
    group = Group(1, "same_background", tuple(f"{i}.jpg" for i in range(8)), "0.jpg", "")
    first = causes(dataset(groups=(group,)), report("overfit", habit=park))[0]
    assert first.code == "one_background" and [c.op for c in first.cures] == ["advice", "drop_photos", "advice"]
    assert len(first.cures[1].value) == 5  # three of the place stay
    neutral = replace(SMILE, label="neutral")
    assert causes(data, report("overfit", habit=neutral))[0].code == "other_habit"


def test_distorted_proportions_name_the_wide_angle_photos() -> None:
    data = dataset(_3="wide_angle", _7="wide_angle", _9="wide_angle")
    first = causes(data, report())[0]
    assert first.code == "wide_angle" and "'3.jpg', '7.jpg', '9.jpg'" in first.evidence
    assert first.cures[0].value == ["3.jpg", "7.jpg", "9.jpg"]
    assert causes(dataset(_3="wide_angle"), report()) == []  # one of twenty does no harm


def test_prompt_ignored_lowers_the_strength() -> None:
    first = causes(dataset(), report("ignores the prompt", "prompt"))[0]
    assert first.code == "prompt_ignored" and (first.cures[0].op, first.cures[0].value) == ("strength", 0.8)


def test_one_photo_swallows_the_others() -> None:
    first = causes(dataset(), report("copies training photos", "copying", copies=5))[0]
    assert first.code == "black_hole" and first.cures[0].value == ["7.jpg"]


def test_spoiled_pictures_and_another_person() -> None:
    fault = Fault("garish", "the colours are 50 strong, without the LoRA 30: garish", 50, 30)
    assert causes(dataset(), report(faults=(fault,)))[0].evidence == fault.text + "."
    note = "The pictures agree on one person, but ...: is this the right reference set?"
    assert causes(dataset(), report("underfit", "identity", notes=(note,)))[0].code == "wrong_reference"


def test_what_was_not_given_is_said_and_nothing_is_guessed() -> None:
    found = diagnose(report=report("overfit", "variety"))
    assert [c.code for c in found.causes] == ["collapsed"]
    assert len(found.unknown) == 2 and "photos were not given" in found.unknown[0]
    assert [c.op for c in found.causes[0].cures] == ["strength", "advice"]  # no steps are known to be lowered
    assert "no test" in diagnose(dataset=dataset()).unknown[0]
    with pytest.raises(BadInputError, match="nothing to diagnose"):
        diagnose()


def test_a_style_that_is_not_kept_is_no_missing_face() -> None:
    data, test = dataset(), report("underfit", "identity")
    person = training(data)
    style = replace(person, plan=person.plan.replace(purpose="style"))
    assert [c.code for c in causes(data, test, person) if c.code.startswith("not_")] == ["not_the_person"]
    found = [c for c in causes(data, test, style) if c.code.startswith("not_")]
    assert [c.code for c in found] == ["not_learned"]
    assert not any("face" in cure.text for cure in found[0].cures)


def test_three_pictures_accuse_nobody() -> None:
    few = report("not enough images", "variety identity")
    assert causes(dataset(groups=(DOUBLES,)), few) == []


def test_cures_change_what_they_say_and_only_that() -> None:
    data = dataset()
    plan = make_plan(data, "sd15")
    changed, same, said = apply_cure(Cure("steps", "plan", 600, "Train 600 steps."), plan=plan, dataset=data)
    assert changed is not None and changed.steps == 600 and same is data and f"from {plan.steps} to 600" in said
    assert changed == plan.replace(steps=600)
    rate, _, _ = apply_cure(Cure("learning_rate", "plan", 5e-5, ""), plan=plan)
    assert rate is not None and rate.learning_rate == 5e-5
    kept_plan, dropped, said = apply_cure(Cure("drop_photos", "dataset", ["1.jpg"], ""), plan=plan, dataset=data)
    assert kept_plan is plan and dropped is not None and len(dropped.kept) == 19 and "19 are left" in said
    assert apply_cure(Cure("advice", "you", "", "Add photos."))[2] == "Nothing was changed here: Add photos."


def test_cures_that_cannot_be_applied_say_why() -> None:
    with pytest.raises(BadInputError, match="changes the training plan"):
        apply_cure(Cure("steps", "plan", 600, "Train 600 steps."))
    with pytest.raises(BadInputError, match="changes the dataset"):
        apply_cure(Cure("drop_photos", "dataset", ["1.jpg"], "Leave it out."))
    with pytest.raises(BadInputError, match="Only 2 photos would be left"):
        apply_cure(Cure("drop_photos", "dataset", ["0.jpg", "1.jpg"], ""), dataset=dataset(4))
    with pytest.raises(BadInputError, match="no photo 'x.jpg'"):
        apply_cure(Cure("drop_photos", "dataset", ["x.jpg"], ""), dataset=dataset())


def test_survives_json_and_is_ranked() -> None:
    found = diagnose(dataset=dataset(groups=(DOUBLES,)), report=report("overfit", "variety copying", copies=5))
    assert Diagnosis.from_json(found.to_json()) == found
    weights = [c.weight for c in found.causes]
    assert weights == sorted(weights, reverse=True) and len(weights) >= 3
    assert (
        found.text.startswith("1. One photo swallows the others")
        and "\n2. Many photos show the same shot" in found.text
    )


def test_the_table_is_whole() -> None:
    assert len({(r.code, r.when) for r in RULES}) == len(RULES) and len({r.weight for r in RULES}) == len(RULES)
    assert all(0 < r.weight < 1 and r.cures and knows(f"diagnosis.cause_{r.code}") for r in RULES)
    assert isinstance(make_plan(dataset(), "sd15"), TrainPlan)


def test_a_diagnosis_is_read_in_the_readers_language() -> None:
    found = diagnose(dataset=dataset(groups=(DOUBLES,)), report=report("overfit", "variety", habit=SMILE))
    kept = found.to_json()
    assert kept["causes"][0]["title"] == {"key": "diagnosis.cause_duplicates", "values": {}}
    with speaking("ru"):
        again = Diagnosis.from_json(kept)
        smile = next(c for c in again.causes if c.code == "always_smiling")
    assert again.causes[0].evidence.startswith("5 из 20 фотографий повторяют другие ('0.jpg', '1.jpg', '3.jpg'")
    assert again.causes[0].evidence.endswith("и ещё 1).")
    assert smile.evidence.startswith("на 8 из 8 картинок «улыбка», хотя об этом не просили; без LoRA 30")
    assert all(isinstance(c.text, Said) for cause in again.causes for c in cause.cures)
    assert Diagnosis.from_json(kept) == found
