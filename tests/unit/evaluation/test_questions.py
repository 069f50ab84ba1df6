"""The question file, and what a prompt asks for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from written_embedder import WrittenEmbedder, unit

from lora_train.errors import BadInputError
from lora_train.evaluation.adherence import says_something, shown_share, things_asked, without
from lora_train.evaluation.questions import ask, asked_for, load_questions


def test_shipped_questions_are_complete() -> None:
    questions = {q.id: q for q in load_questions()}
    needed = {"hair_colour", "skin", "eyes", "mark", "glasses", "expression", "shot", "people"}
    assert needed <= set(questions)
    assert [questions[q].labels[i] for q in ("mark", "beard") for i in questions[q].absent] == ["no mark", "no beard"]
    assert questions["hair_colour"].labels[:2] == ("black hair", "brown hair")
    assert "photo of a person with long black hair" in questions["hair_colour"].prompts[0]
    for question in questions.values():
        assert len(question.labels) == len(question.prompts) == len(set(question.labels))
        prompts = [p for answer in question.prompts for p in answer]
        assert len(set(prompts)) == len(prompts) and not any("{" in p for p in prompts)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("photo of ohwx person, smiling, on a beach", {"expression": "smiling", "place": "on a beach"}),
        ("ohwx person wearing a red hoodie", {"clothes": "wearing a red"}),
        (
            "Close-Up Portrait of ohwx person, wearing sunglasses",
            {"shot": "close-up portrait", "glasses": "wearing sunglasses"},
        ),
        ("photo of ohwx person in a city at night", {"place": "in a city at night"}),
        ("photo of ohwx person, sadness", {}),
        ("", {}),
    ],
)
def test_asked_for(prompt: str, expected: dict[str, str]) -> None:
    questions = {q.id: q for q in load_questions()}
    found = asked_for(prompt, [q for q in questions.values() if not q.identity])
    assert {key: questions[key].labels[i] for key, i in found.items()} == expected


def test_own_question_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "questions": [
                    {
                        "id": "hat",
                        "title": "hat",
                        "identity": True,
                        "place": "a {}",
                        "templates": ["a {}", "the {}"],
                        "answers": ["cap", {"label": "bare", "prompts": ["no"]}],
                    }
                ]
            }
        ),
        "utf-8",
    )
    hat = load_questions(path)[0]
    assert hat.labels == ("a cap", "bare")
    assert hat.prompts == (("a cap", "the cap"), ("no",))


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"questions": [{"id": "x"}]}'])
def test_broken_question_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInputError, match=r"bad\.json"):
        load_questions(path)


def test_probabilities_follow_the_nearer_text() -> None:
    rows = unit(np.array([[1.0, 0.1, 0], [0.1, 1.0, 0]]))
    embedder = WrittenEmbedder(rows, {"cap": np.array([1.0, 0, 0]), "bare": np.array([0, 1.0, 0])}, scale=10)
    answers = ask(embedder, rows, [_hat()])["hat"]
    cosine = np.array([rows[0] @ [1, 0, 0], rows[0] @ [0, 1, 0]])
    assert answers[0] == pytest.approx(np.exp(10 * cosine) / np.exp(10 * cosine).sum())
    assert answers.argmax(axis=1).tolist() == [0, 1]


def _hat():  # noqa: ANN202
    from lora_train.evaluation.questions import Question

    return Question("hat", "hat", False, ("a cap", "bare"), (("a cap", "the cap"), ("bare",)))


def test_shown_share_counts_only_what_was_asked() -> None:
    asked = things_asked(["a cap please", "nothing", "a cap"], [_hat()])
    shares = shown_share(asked, {"hat": np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])})
    assert shares[[0, 2]].tolist() == [1.0, 0.0]
    assert np.isnan(shares[1])


def test_trigger_word_is_left_out_of_the_text() -> None:
    assert without("photo of OHWX person, ohwxy", "ohwx") == "photo of person, ohwxy"
    assert not says_something("a photo of ohwx person", "ohwx")
    assert says_something("a photo of ohwx person flying a kite", "ohwx")
    assert without("a b", " ") == "a b"
