"""Which pictures a step sees: a pure function of seed and step, so a run can go on anywhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache


class Batches:
    """Every picture once per round, in a new order each round; a batch has one picture size."""

    def __init__(self, sizes: Sequence[tuple[int, ...]], batch_size: int, seed: int) -> None:
        self._groups: dict[tuple[int, ...], list[int]] = {}
        for index, size in enumerate(sizes):
            self._groups.setdefault(tuple(size), []).append(index)
        self._batch_size = batch_size
        self._seed = seed
        self.per_round = sum(-(-len(group) // batch_size) for group in self._groups.values())
        self._round = lru_cache(maxsize=2)(self._build_round)

    def at(self, step: int) -> list[int]:
        """Indices of the pictures of ``step`` (from 0); always ``batch_size`` of them."""
        number, place = divmod(step, self.per_round)
        return self._round(number)[place]

    def _build_round(self, number: int) -> list[list[int]]:
        chooser = random.Random(f"{self._seed}/{number}")
        batches: list[list[int]] = []
        for group in self._groups.values():
            order = list(group)
            chooser.shuffle(order)
            for start in range(0, len(order), self._batch_size):
                batches.append(self._filled(order[start : start + self._batch_size], order))
        chooser.shuffle(batches)
        return batches

    def _filled(self, batch: list[int], order: list[int]) -> list[int]:
        """``batch``, made full with pictures from the start of this round's order."""
        extra = (order[i % len(order)] for i in range(self._batch_size - len(batch)))
        return [*batch, *extra]
