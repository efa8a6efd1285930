"""The processes of one training run: one by default, several under torchrun.

    torchrun --nproc-per-node 2 train.py ...

Each process reads its share of the streams of every batch; DistributedDataParallel averages the
gradients, so that the weights stay the same everywhere. gloo carries it between CPUs, NCCL between
cards. Knows nothing of models or of text.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed.rendezvous import rendezvous

from lstm_lm.errors import ConfigError, shown

log = logging.getLogger(__name__)

MOST = 10_000  # processes
PATIENCE = 300.0  # seconds for all to come: each imports torch first, perhaps from a slow disk
SILENCE = 10.0  # seconds after which a wait is told
PAUSE = 0.2  # seconds between two looks
START = "start it with torchrun, or unset WORLD_SIZE to train in this process alone"


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
    """This process's place among those that torchrun started; alone where it did not.

    Raises:
        ConfigError: the variables that torchrun sets make no sense, or the others do not come.
    """
    place = Place.of(os.environ)
    if place is None:
        return Processes()
    on_cards = wanted_device in ("auto", "cuda") and torch.cuda.is_available()
    if on_cards:
        cards = torch.cuda.device_count()
        if place.local_rank >= cards:
            raise ConfigError(
                f"LOCAL_RANK is {place.local_rank}, but this machine has {cards} cards: start at "
                f"most {cards} processes here"
            )
        torch.cuda.set_device(place.local_rank)
    if not distributed.is_initialized():
        _meet(place, "nccl" if on_cards else "gloo")
    return Processes(rank=distributed.get_rank(), count=place.count)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What torchrun tells each process of a run in its environment."""

    count: int
    rank: int
    local_rank: int
    host: str
    port: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Place | None":
        """The place that the environment gives; None where the process is alone.

        Raises:
            ConfigError: names every variable that makes no sense.
        """
        problems: list[str] = []

        def number(name: str, least: int, most: int, otherwise: str = "") -> int:
            given = environment.get(name) or otherwise
            is_number = given.isascii() and given.isdigit() and len(given) < 10
            if is_number and least <= int(given) <= most:
                return int(given)
            found = f"is {shown(given)}" if given else "is not set"
            problems.append(f"{name} {found}: a whole number from {least} to {most} belongs there")
            return least

        count = number("WORLD_SIZE", 1, MOST, "1")
        if count == 1 and not problems:
            return None
        most = max(count, 2) - 1
        place = cls(
            count=count,
            rank=number("RANK", 0, most),
            local_rank=number("LOCAL_RANK", 0, most, "0"),
            host=environment.get("MASTER_ADDR", "").strip(),
            port=number("MASTER_PORT", 1, 65535),
        )
        if not place.host:
            problems.append("MASTER_ADDR is not set: the first process's machine belongs there")
        if problems:
            raise ConfigError(f"{'; '.join(problems)}; {START}")
        return place


def _meet(place: Place, backend: str) -> None:
    """Meet the other processes, or give up: one may have been left to wait by an old variable."""
    told = "waiting for the other processes at %s:%d (WORLD_SIZE is %d)"
    waiting = threading.Timer(SILENCE, log.warning, (told, place.host, place.port, place.count))
    waiting.daemon = True
    waiting.start()
    try:
        # torch's own store says in many lines that the first process is not there yet.
        if place.rank and not _answers(place, PATIENCE):
            raise _not_met(place, "nothing answers there")
        # The time is for the meeting alone: the first process may work on its text for longer.
        meeting = rendezvous("env://", timeout=timedelta(seconds=PATIENCE))
        store, rank, count = next(meeting)
        distributed.init_process_group(backend, store=store, rank=rank, world_size=count)
    except RuntimeError as error:  # torch's own DistError among them
        raise _not_met(place, next(iter(str(error).splitlines()), "")[:200]) from None
    finally:
        waiting.cancel()


def _not_met(place: Place, said: str) -> ConfigError:
    return ConfigError(
        f"WORLD_SIZE is {place.count}, but the processes did not meet at {place.host}:{place.port} "
        f"within {PATIENCE:g} seconds ({said}); {START}"
    )


def _answers(place: Place, seconds: float) -> bool:
    """Whether the first process's machine answers within the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((place.host, place.port), 5):
            return True
        time.sleep(PAUSE)
    return False


def leave() -> None:
    """Take leave of the other processes, if there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
