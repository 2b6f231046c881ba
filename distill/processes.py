"""One process, or several under ``torchrun``, each with its share of every batch."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist


class Processes:
    """Where this process stands among those of a training.

    Attributes
    ----------
    count, rank : int
        How many there are, and which this is; the first writes the files.
    device : torch.device
    """

    def __init__(self) -> None:
        self.count, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this one writes the files."""
        return self.rank == 0

    def shared(self, module: torch.nn.Module) -> torch.nn.Module:
        """The module, its gradients averaged over all processes."""
        if self.count == 1:
            return module
        return torch.nn.parallel.DistributedDataParallel(module, find_unused_parameters=True)


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the others, if there are any."""
    found = Processes()
    if found.count > 1:
        dist.init_process_group("nccl" if found.device.type == "cuda" else "gloo")
    try:
        yield found
    finally:
        if found.count > 1:
            dist.destroy_process_group()
