"""Inner products of LoRAs, layer by layer, from their factors; kept by content, in memory and on disk.

For the changes ``D_i = B_i A_i`` of one weight (scale included, strength 1), with ``T_ij = B_i' B_j`` and
``S_ij = A_i A_j'`` (r x r each):

    inner    <D_i, D_j>                = sum(T_ij * S_ij)
    inside   <D_i' D_i, D_j' D_j>      = tr(T_ii S_ij T_jj S_ji)     which inputs they listen to
    outside  <D_i D_i', D_j D_j'>      = tr(S_ii T_ij S_jj T_ji)     which outputs they write to

No matrix of the weight's size is formed. Strengths enter as ``s_i s_j`` and ``s_i^2 s_j^2``, so the numbers
at strength 1 serve every position of every slider. The last two compare *where the energy lies* and need no
inverse, so dead directions weigh nothing.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import BadInputError, UnsupportedModelError
from ..files import cache_folder, whole
from ..observer import NullObserver, Observer
from ..say import say
from .contents import content_ids
from .reader import LoraFile, not_finite, open_lora

if TYPE_CHECKING:
    import torch

VERSION = 1
THREADS = 4
_KEPT_PAIRS = 2048
Pair = tuple[str, str]


@dataclass(frozen=True)
class PairGram:
    """Two LoRAs (or one with itself): numbers per layer that both have."""

    places: tuple[str, ...]
    values: np.ndarray
    """(layers, 3) float64: inner, inside, outside at strength 1."""
    sizes: np.ndarray
    """(layers, 2) int64: inputs and outputs of the weight."""


@dataclass(frozen=True)
class StackGram:
    """All pairs of a stack in one table; a layer that a LoRA lacks holds zeros."""

    ids: tuple[str, ...]
    """SHA-256 of each file, in the order of the stack."""
    places: tuple[str, ...]
    inner: np.ndarray
    """(layers, n, n)"""
    inside: np.ndarray
    outside: np.ndarray
    sizes: np.ndarray
    """(layers, 2): inputs, outputs."""


class Grams:
    """Computes what is not yet known, and remembers it by the files' SHA-256."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._known: OrderedDict[Pair, PairGram] = OrderedDict()

    def of(self, files: Sequence[Path], observer: Observer | None = None) -> StackGram:
        """The table of a stack.

        Raises:
            UnsupportedModelError: a file is no LoRA; all such files are named.
            BadInputError: a file is missing, or holds NaN or infinity.
        """
        ids = content_ids([Path(file) for file in files], self._cache)
        by_id = dict(zip(ids, files, strict=True))
        wanted = [_pair(a, b) for a, b in combinations_with_replacement(dict.fromkeys(ids), 2)]
        missing = [pair for pair in wanted if self._recall(pair) is None]
        if missing:
            self._compute(by_id, missing, observer or NullObserver())
        pairs = {pair: self._known[pair] for pair in wanted}
        while len(self._known) > _KEPT_PAIRS:
            self._known.popitem(last=False)
        return _table(ids, pairs)

    def _folder(self) -> Path:
        return (self._cache or cache_folder()) / "grams" / f"v{VERSION}"

    def _recall(self, pair: Pair) -> PairGram | None:
        if pair in self._known:
            self._known.move_to_end(pair)
        elif (found := _load(self._folder() / _file_name(pair))) is not None:
            self._known[pair] = found
        return self._known.get(pair)

    def _compute(self, by_id: Mapping[str, Path], missing: Sequence[Pair], observer: Observer) -> None:
        needed = list(dict.fromkeys(i for pair in missing for i in pair))
        observer.stage("compare")
        with ExitStack() as stack:
            files = {i: stack.enter_context(open_lora(by_id[i], partly=True)) for i in needed}
            _require_layers(files.values())
            found = _grams(files, missing, observer)
        for pair, gram in found.items():
            self._known[pair] = gram
            _save(self._folder() / _file_name(pair), gram)


def _require_layers(files: object) -> None:
    problems = [
        say("lora.no_pairs", name=file.path.name, kinds=[*file.kinds])
        for file in files  # type: ignore[attr-defined]
        if not file.places
    ]
    if problems:
        raise UnsupportedModelError("\n".join(problems))


def _grams(files: Mapping[str, LoraFile], missing: Sequence[Pair], observer: Observer) -> dict[Pair, PairGram]:
    rows: dict[Pair, list[tuple[str, tuple[float, float, float], tuple[int, int]]]] = {pair: [] for pair in missing}
    work = list(_work(files, missing))
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:  # products leave Python's lock alone
        layers = pool.map(lambda item: _layer(files, item.used, item.place), work)
        try:
            for done, (item, (blocks, size)) in enumerate(zip(work, layers, strict=True)):
                for a, b in item.pairs:
                    rows[a, b].append((item.place, tuple(blocks[:, item.used.index(a), item.used.index(b)]), size))
                if done % 64 == 0:
                    observer.check_cancelled()
                    observer.progress(done, len(work))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    observer.progress(len(work), len(work))
    return {pair: _pair_gram(found) for pair, found in rows.items()}


class _Item(NamedTuple):
    """One layer: the files that are compared there, and which pairs of them."""

    place: str
    used: list[str]
    pairs: set[Pair]


def _work(files: Mapping[str, LoraFile], missing: Sequence[Pair]) -> Iterator[_Item]:
    partners = {i: {pair for pair in missing if i in pair} for i in files}
    for place in sorted(set().union(*(file.places for file in files.values()))):
        here = [i for i, file in files.items() if place in file.places]
        pairs = {p for i in here for p in partners[i] if p[0] in here and p[1] in here}
        if used := [i for i in here if any(i in pair for pair in pairs)]:
            yield _Item(place, used, pairs)


def _layer(files: Mapping[str, LoraFile], used: Sequence[str], place: str) -> tuple[np.ndarray, tuple[int, int]]:
    """(3, n, n) numbers of one layer, and the weight's (inputs, outputs).

    Raises:
        BadInputError: the LoRAs have the layer in different sizes, or hold NaN or infinity.
    """
    import torch

    sizes = {(files[i].places[place].inputs, files[i].places[place].outputs) for i in used}
    if len(sizes) > 1:
        raise _other_sizes(files, used, place)
    up, down, scales, ranks = _side_by_side(files, used, place)
    t = _products(up.T, ranks) * (scales[:, None] * scales)
    s = _products(down, ranks)
    p, q = torch.empty_like(t), torch.empty_like(t)
    for mine in _slices(ranks):
        torch.mm(t[mine, mine], s[mine], out=p[mine])
        torch.mm(s[mine, mine], t[mine], out=q[mine])
    with np.errstate(all="ignore"):  # NaN in a file is told below, by name
        blocks = _block_sums(torch.stack([t * s, p * p.T, q * q.T]).numpy(), ranks)
    if not np.isfinite(blocks).all():
        raise _broken(files, used, place)
    return blocks, sizes.pop()


def _side_by_side(
    files: Mapping[str, LoraFile], used: Sequence[str], place: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[int]]:
    """``[B_1, B_2, ...]`` (out, R), ``[A_1; A_2; ...]`` (R, in), the scale of each column (R,), the ranks."""
    import torch

    pairs = [files[i].factors(files[i].places[place]) for i in used]
    ranks = [pair.rank for pair in pairs]
    up = torch.empty(pairs[0].up.shape[0], sum(ranks))
    down = torch.empty(sum(ranks), pairs[0].down[0].numel())
    for mine, pair in zip(_slices(ranks), pairs, strict=True):
        up[:, mine] = pair.up.flatten(1)
        down[mine] = pair.down.flatten(1)
    scales = torch.tensor([pair.scale for pair in pairs]).repeat_interleave(torch.tensor(ranks))
    return up, down, scales, ranks


def _products(rows: torch.Tensor, ranks: Sequence[int]) -> torch.Tensor:
    """``rows @ rows.T`` (R, R): the half above the diagonal is computed, the other mirrored."""
    import torch

    result = torch.empty(rows.shape[0], rows.shape[0])
    for mine in _slices(ranks):
        torch.mm(rows[mine], rows[mine.start :].T, out=result[mine, mine.start :])
        result[mine.stop :, mine] = result[mine, mine.stop :].T
    return result


def _slices(ranks: Sequence[int]) -> list[slice]:
    ends = np.cumsum([0, *ranks]).tolist()
    return [slice(a, b) for a, b in zip(ends, ends[1:], strict=False)]


def _broken(files: Mapping[str, LoraFile], used: Sequence[str], place: str) -> BadInputError:
    """The error that names the first file with NaN or infinity in this layer."""
    for i in used:
        pair = files[i].factors(files[i].places[place])
        if not (pair.up.isfinite().all() and pair.down.isfinite().all()):
            return not_finite(files[i].path, files[i].places[place].layer)
    return not_finite(files[used[0]].path, files[used[0]].places[place].layer)


def _block_sums(blocks: np.ndarray, ranks: Sequence[int]) -> np.ndarray:
    """(k, R, R) -> (k, n, n) in float64: one sum per pair of LoRAs."""
    starts = np.cumsum([0, *ranks[:-1]])
    return np.add.reduceat(np.add.reduceat(blocks, starts, axis=2, dtype=np.float64), starts, axis=1)


def _other_sizes(files: Mapping[str, LoraFile], used: Sequence[str], place: str) -> BadInputError:
    seen = [f"'{files[i].path.name}' {files[i].places[place].outputs} x {files[i].places[place].inputs}" for i in used]
    why = say("lora.layer_is", layer=files[used[0]].places[place].layer, sizes=seen)
    return BadInputError(say("lora.combine_one_family", why=why))


def _pair_gram(found: Sequence[tuple[str, tuple[float, float, float], tuple[int, int]]]) -> PairGram:
    places = tuple(place for place, _, _ in found)
    values = np.array([v for _, v, _ in found], np.float64).reshape(-1, 3)
    return PairGram(places, values, np.array([s for _, _, s in found], np.int64).reshape(-1, 2))


def _table(ids: tuple[str, ...], pairs: Mapping[Pair, PairGram]) -> StackGram:
    places = sorted({place for gram in pairs.values() for place in gram.places})
    row_of = {place: row for row, place in enumerate(places)}
    numbers = np.zeros((3, len(places), len(ids), len(ids)))
    sizes = np.zeros((len(places), 2), np.int64)
    for (a, b), gram in pairs.items():
        rows = np.array([row_of[place] for place in gram.places], np.intp)
        sizes[rows] = gram.sizes
        for i in (i for i, own in enumerate(ids) if own == a):
            for j in (j for j, own in enumerate(ids) if own == b):
                numbers[:, rows, i, j] = numbers[:, rows, j, i] = gram.values.T
                if a == b:  # the same file twice in one stack
                    numbers[:, rows, i, i] = numbers[:, rows, j, j] = gram.values.T
    return StackGram(ids, tuple(places), numbers[0], numbers[1], numbers[2], sizes)


# -- on disk ----------------------------------------------------------------------------------------


def _pair(a: str, b: str) -> Pair:
    return (a, b) if a <= b else (b, a)


def _file_name(pair: Pair) -> str:
    return f"{pair[0][:2]}/{pair[0][:32]}-{pair[1][:32]}.npz"


def _save(path: Path, gram: PairGram) -> None:
    content = io.BytesIO()
    np.savez(content, places=np.array(gram.places, dtype=np.str_), values=gram.values, sizes=gram.sizes)
    try:
        with whole(path) as temporary:
            temporary.write_bytes(content.getvalue())
    except BadInputError:
        return  # a cache that cannot be written costs time, never a run


def _load(path: Path) -> PairGram | None:
    """What was stored before; None when there is nothing, or it is broken: it is then computed again."""
    try:
        with np.load(path, allow_pickle=False) as found:
            gram = PairGram(tuple(found["places"].tolist()), found["values"], found["sizes"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    sound = gram.values.shape == (len(gram.places), 3) and gram.sizes.shape == (len(gram.places), 2)
    return gram if sound and np.isfinite(gram.values).all() else None
