"""One process of a training by several: some steps of the tiny run, and the factors into a file.

Started with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; arguments: the folder of the tests, the file.
"""

from __future__ import annotations

import sys
import weakref

sys.path[:0] = [sys.argv[1], f"{sys.argv[1]}/.."]


def main() -> None:
    import torch
    from unit.training import tiny

    from lora_train.training import loop
    from lora_train.training.distributed import join, leave, spread

    group = join()
    assert group.tell("to all: ü" if group.leads else "") == "to all: ü"
    assert group.tell("") == ""
    run = tiny.run(spread(tiny.plan(steps=12, batch_size=1), group.size))
    run.group = group
    calls = []
    average = torch.distributed.all_reduce
    torch.distributed.all_reduce = lambda *given: (calls.append(1), average(*given))
    for _ in range(run.plan.steps):
        loop.train_step(run)
        run.step += 1
    assert len(calls) == run.plan.steps == 6
    torch.distributed.all_reduce = average
    values = run.adapter.snapshot()
    mine = values.clone()
    torch.distributed.broadcast(mine, 0)
    assert torch.equal(mine, values), "both processes hold the same numbers, bit for bit"
    if group.leads:
        from safetensors.torch import save_file

        save_file({"values": values}, sys.argv[2])
    known = weakref.ref(torch.distributed.group.WORLD)
    leave(group)
    assert known() is None, "its threads end with it"


main()
