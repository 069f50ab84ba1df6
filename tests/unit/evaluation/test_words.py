"""What the shipped questions ask has words in every language; in data and captions it stays English."""

from __future__ import annotations

import re

from lora_train.evaluation.questions import load_questions
from lora_train.evaluation.words import label_words, title_words, verdict_words
from lora_train.say import speaking


def test_every_answer_about_the_moment_has_words() -> None:
    with speaking("ru"):
        for question in (q for q in load_questions() if not q.identity):
            said = [title_words(question.id, question.title), *map(label_words, question.labels)]
            assert [text for text in said if re.search("[a-z]", text)] == []


def test_two_answers_together_and_words_of_other_files() -> None:
    with speaking("ru"):
        assert label_words("smiling or laughing") == "улыбка или смех"
        assert label_words("on a skateboard") == "on a skateboard"
        assert verdict_words("copies training photos") == "копирует обучающие фотографии"
    assert label_words("close-up portrait") == "close-up portrait"
