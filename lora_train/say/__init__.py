"""What the pack says to people: a key and values, worded in the reader's language.

``say("audit.too_small", value=300, limit=384)`` is a :class:`Said`: a ``str`` in the current language that
remembers its key and values. Files keep those and are worded again by whoever reads them; see docs/adr/0008.
"""

from .language import LANGUAGES, VARIABLE, known, language, speaking, use_language
from .message import Said, blanks, heard, knows, say, written

__all__ = [
    "LANGUAGES",
    "VARIABLE",
    "Said",
    "blanks",
    "heard",
    "known",
    "knows",
    "language",
    "say",
    "speaking",
    "use_language",
    "written",
]
