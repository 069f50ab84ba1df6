"""The errors that Lorasmith raises on purpose.

A message says what is wrong, where, the number seen, the limit, and the next step. ``str(error)`` of one
that was raised with a :class:`~.say.Said` is that message, with its key and values.
"""

from __future__ import annotations

from .say import Said, say


class LorasmithError(Exception):
    """Base of every error a user may see. ``exit_code`` is what the shell command returns."""

    exit_code = 1

    def __init_subclass__(cls, **kwargs: object) -> None:
        # ComfyUI shows "module.Type: message"; the module would be the full install path.
        super().__init_subclass__(**kwargs)
        cls.__module__ = "lorasmith"


class BadInputError(LorasmithError):
    """The input cannot be used: a folder, file, name or number the user gave."""

    exit_code = 2

    @property
    def problems(self) -> list[str]:
        """Each thing that is wrong, as :meth:`collect` was given them."""
        said = self.args[0] if self.args else ""
        if isinstance(said, Said) and said.key == "errors.several":
            return list(said.values["problems"])
        return [str(self)]

    @classmethod
    def collect(cls, problems: list[str]) -> None:
        """Raise one error that lists all ``problems``; do nothing when there is none."""
        if problems:
            raise cls(problems[0] if len(problems) == 1 else say("errors.several", problems=problems))


class UnsupportedModelError(BadInputError):
    """The file is no checkpoint, or one of a family that Lorasmith cannot train."""


class QualityGateError(LorasmithError):
    """Everything ran, and the result is below what was asked for; ``result`` is still to be shown."""

    exit_code = 3

    def __init__(self, message: str, result: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.result = result


class WorkerError(LorasmithError):
    """The training process died or could not be understood."""


class Cancelled(LorasmithError):
    """The user asked to stop. What was best so far has been saved."""

    exit_code = 130
