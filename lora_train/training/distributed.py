"""Several processes that train one LoRA together, as ``accelerate launch`` or ``torchrun`` start them.

Everything random is a function of (seed, step), so every process draws the same whole batch and learns from its own
share of it. The trained numbers are one buffer: one all-reduce of its gradient a step makes all processes equal
to one that saw the whole batch. Process 0 alone talks, samples and writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..say import say
from .stopping import StopFlag

if TYPE_CHECKING:
    import torch

    from .draws import Draw
    from .plan import TrainPlan

PATIENCE = timedelta(hours=2)
"""How long the others wait for process 0: it samples and saves alone."""


@dataclass(frozen=True)
class Group:
    """The processes of one training. Alone, every method does nothing or gives back what it got."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """True in the one process that talks, samples and writes."""
        return self.rank == 0

    def share(self, drawn: Draw) -> Draw:
        """This process's part of a whole batch; all parts are equally large."""
        if self.size == 1:
            return drawn
        each = len(drawn) // self.size
        return drawn.rows(list(range(self.rank * each, (self.rank + 1) * each)))

    def average(self, gradient: torch.Tensor) -> None:
        """Replace ``gradient`` by its mean over all processes: one collective call."""
        if self.size == 1:
            return
        import torch.distributed as distributed

        distributed.all_reduce(gradient)
        gradient.div_(self.size)

    def tell(self, text: str) -> str:
        """What process 0 says, in all of them."""
        if self.size == 1:
            return text
        import torch
        import torch.distributed as distributed

        data = text.encode()
        length = torch.tensor([len(data)], dtype=torch.int64)
        distributed.broadcast(length, 0)
        if not int(length):
            return ""
        letters = torch.zeros(int(length), dtype=torch.uint8)
        if self.leads:
            letters.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        distributed.broadcast(letters, 0)
        return bytes(letters.tolist()).decode()

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """Process 0 goes through the block first; the others then find the files it has made."""
        if not self.leads:
            self.tell("")
        yield
        if self.leads:
            self.tell("")


ALONE = Group()


class SharedStop(StopFlag):
    """A stop that all processes see after the same step: that of process 0, as it was at the last :meth:`agree`."""

    def __init__(self, own: StopFlag, group: Group) -> None:
        super().__init__()
        self._own, self._group = own, group

    def request(self, reason: str, *, urgent: bool = True) -> None:
        """Ask to stop; it counts from the next :meth:`agree` on."""
        self._own.request(reason, urgent=urgent)

    def agree(self) -> None:
        """Take over what process 0 knows. All processes call it once a step."""
        reason = self._group.tell(self._own.reason if self._own.requested else "")
        if reason:
            super().request(reason)


def join() -> Group:
    """The group that the environment names (``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``); alone without one.

    torch.distributed.nn, imported once a group exists, keeps it for good: it is the default argument of its
    functions. The group's threads then outlive :func:`leave`, and one that frees a tensor while Python ends
    aborts the process. So it is imported before, although nothing here uses it.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE
    import torch
    import torch.distributed as distributed
    import torch.distributed.nn  # noqa: F401

    on_cuda = torch.cuda.is_available()
    if on_cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if on_cuda else "gloo", timeout=PATIENCE)
    return Group(int(os.environ["RANK"]), size)


def leave(group: Group) -> None:
    """End the group's connections and threads."""
    if group.size > 1:
        import torch.distributed as distributed

        distributed.destroy_process_group()


def is_lost(error: BaseException) -> bool:
    """True for what the library for collective calls raises when another process is gone."""
    text = str(error).lower()
    return "connection closed" in text or "connection reset" in text or "remote process exited" in text


def spread(plan: TrainPlan, size: int) -> TrainPlan:
    """``plan`` for ``size`` processes: each takes the plan's batch, so fewer steps show as many pictures."""
    if size == 1:
        return plan
    steps = max(1, round(plan.steps / size))
    every = max(1, round(plan.sample_every / size)) if plan.sample_every else 0
    why = say("plan.spread", steps=steps, size=size, batch=plan.batch_size, why=plan.why)
    return plan.replace(steps=steps, batch_size=plan.batch_size * size, sample_every=every, why=why)
