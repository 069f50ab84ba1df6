"""What is shown although nobody asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lora_train.evaluation.habits import Habit, find_habits
from lora_train.evaluation.limits import DEFAULT_LIMITS
from lora_train.evaluation.questions import Question

MOOD = Question("expression", "expression", False, ("neutral", "smiling", "sad"), ((), (), ()))
HAIR = Question("hair", "hair", True, ("red", "black"), ((), ()))


def answers(votes: Sequence[int], k: int = 3) -> dict[str, np.ndarray]:
    return {"expression": np.eye(k)[list(votes)] * 0.8 + 0.05, "hair": np.full((len(votes), 2), 0.5)}


def find(made: Sequence[int], base: Sequence[int] | None, photos: Sequence[int] | None, asked=None) -> Habit | None:
    asked = asked or [{} for _ in made]
    found = find_habits((MOOD, HAIR), answers(made), asked, DEFAULT_LIMITS,
                        None if base is None else (answers(base), [{} for _ in base]),
                        None if photos is None else answers(photos))  # fmt: skip
    assert all(h.question != "hair" for h in found)  # who it is is no habit
    return found[0] if found else None


def test_always_smiling_is_seen_and_said_with_its_numbers() -> None:
    habit = find([1] * 8, [0, 1, 2, 0, 1, 2, 0, 1], [1] * 17 + [0] * 3)
    assert habit is not None and habit.is_habit and habit.label == "smiling"
    assert "8 of 8 pictures show 'smiling' although nobody asked for it" in habit.text
    assert "without the LoRA 38%" in habit.text and "training photos 85%" in habit.text


def test_a_base_that_smiles_itself_is_no_habit_of_the_lora() -> None:
    habit = find([1] * 8, [1] * 8, [1] * 10)
    assert habit is not None and not habit.is_habit


def test_what_the_photos_do_not_show_was_not_learned_from_them() -> None:
    habit = find([1] * 8, [0] * 8, [0] * 10)
    assert habit is not None and not habit.is_habit


def test_what_was_asked_for_does_not_count() -> None:
    asked = [{"expression": 1}] * 4 + [{}] * 4
    assert find([1] * 8, None, None, asked) is None  # four open pictures are too few to tell


def test_without_base_it_takes_nearly_all_and_the_photos() -> None:
    assert (habit := find([1] * 10, None, [1] * 10)) and habit.is_habit
    assert (habit := find([1] * 8 + [0, 2], None, [1] * 10)) and not habit.is_habit
    assert (habit := find([1] * 10, None, None)) and not habit.is_habit


def test_an_answer_that_is_hardly_likelier_than_another_does_not_count() -> None:
    unclear = {"expression": np.tile([0.3, 0.36, 0.34], (8, 1)), "hair": np.full((8, 2), 0.5)}
    clear = answers([1] * 8)
    rows = find_habits((MOOD,), unclear, [{}] * 8, DEFAULT_LIMITS, (answers([0] * 8), [{}] * 8), clear)
    assert rows[0].hits == 0


def test_two_answers_that_all_photos_show_are_a_habit_together() -> None:
    """Photos of two afternoons: every picture is one of the two, and neither alone is most of them."""
    habit = find([1, 2] * 4, [0] * 6 + [1, 2], [1] * 5 + [2] * 5)
    assert habit is not None and habit.is_habit and habit.hits == 8
    assert habit.label in ("smiling or sad", "sad or smiling") and habit.photos_share == 1.0
    varied = find([1, 2] * 4, [0] * 6 + [1, 2], [1] * 4 + [2] * 4 + [0] * 2)
    assert varied is not None and not varied.is_habit  # a fifth of the photos shows something else


def test_what_all_photos_show_need_not_be_there_nearly_always() -> None:
    often = find([1] * 4 + [0, 2], [0] * 6, [1] * 10)
    assert often is not None and often.share < DEFAULT_LIMITS.habit_share and often.is_habit
    half = find([1] * 3 + [0, 2, 0], [0] * 6, [1] * 10)
    assert half is not None and not half.is_habit
    shown_by_few = find([1] * 4 + [0, 2], [0] * 6, [1] * 8 + [0] * 2)
    assert shown_by_few is not None and not shown_by_few.is_habit
