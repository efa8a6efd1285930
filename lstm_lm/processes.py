"""The processes of one training run: one by default, several under torchrun.

    torchrun --nproc-per-node 2 train.py ...

Each process reads its share of the streams of every batch; DistributedDataParallel averages the
gradients, so that the weights stay the same everywhere. gloo carries it between CPUs, NCCL between
cards. Knows nothing of models or of text.
"""

import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from lstm_lm.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among those of the run."""

    rank: int = 0
    """Which one this is; 0 evaluates, writes and speaks."""
    count: int = 1
    """How many there are."""

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def share(self, batch_size: int) -> slice:
        """The streams of a batch that are this process's.

        Raises:
            ConfigError: the batch does not divide by the number of processes.
        """
        if batch_size % self.count:
            raise ConfigError(
                f"batch_size is {batch_size}: give a multiple of the {self.count} processes"
            )
        size = batch_size // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def any(self, flags: list[bool], device: torch.device) -> list[bool]:
        """For each flag, whether any process has set it: the same answer everywhere."""
        if self.count == 1:
            return flags
        votes = torch.tensor(flags, dtype=torch.int32, device=device)
        distributed.all_reduce(votes, distributed.ReduceOp.MAX)
        return [bool(vote) for vote in votes.tolist()]

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the processes, everywhere."""
        if self.count > 1:
            distributed.all_reduce(values)
            values = values / self.count
        return values

    def gather(self, part: Tensor) -> Tensor:
        """The parts of all processes side by side along dimension 1, everywhere."""
        if self.count == 1:
            return part
        parts = [torch.empty_like(part) for _ in range(self.count)]
        distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts, 1)

    def tell(self, objects: list[Any]) -> list[Any]:
        """What the first process holds, everywhere."""
        if self.count > 1:
            distributed.broadcast_object_list(objects, src=0)
        return objects


def join(wanted_device: str) -> Processes:
    """This process's place among those that torchrun started; alone where it did not."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    on_cards = wanted_device in ("auto", "cuda") and torch.cuda.is_available()
    if on_cards:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if on_cards else "gloo")
    return Processes(rank=distributed.get_rank(), count=count)


def leave() -> None:
    """Take leave of the other processes, if there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
