"""What a photo shows, in words: zero-shot questions to a CLIP model that the user has.

Words and limits are data (questions.json, one file per model that speaks its own language, models.json).
Without weights nothing is asked and nothing is guessed. Body points, where they were measured, decide
about hands before the model does.
"""

from __future__ import annotations

from .ask import Tagger, load_tagger
from .questions import TagQuestion, load_tag_questions

__all__ = ["TagQuestion", "Tagger", "load_tag_questions", "load_tagger"]
