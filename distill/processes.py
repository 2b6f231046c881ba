"""One process, or several under ``torchrun``, each with its share of every batch."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist


class Processes:
    """Where this process stands among those of a training.

    Attributes
    ----------
    count, rank : int
        How many there are, and which this is.
    device : torch.device
    """

    def __init__(self) -> None:
        self.count, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this one writes the files."""
        return self.rank == 0

    def equalise(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give all processes the first one's tensors, float32."""
        self._exchange(tensors, lambda whole: dist.broadcast(whole, 0))

    def average(self, tensors: Iterable[torch.Tensor]) -> None:
        """Put the mean over all processes in the place of each tensor, float32."""
        self._exchange(tensors, lambda whole: dist.all_reduce(whole.div_(self.count)))

    @torch.no_grad()
    def _exchange(self, tensors: Iterable[torch.Tensor], operation: Callable[[torch.Tensor], Any]) -> None:
        tensors = list(tensors)
        if self.count > 1 and tensors:
            whole = torch.cat([tensor.reshape(-1) for tensor in tensors])  # one message instead of dozens, whatever their layouts
            operation(whole)
            for tensor, part in zip(tensors, whole.split([tensor.numel() for tensor in tensors]), strict=True):
                tensor.copy_(part.reshape(tensor.shape))

    def any(self, here: bool) -> bool:
        """Whether it is so in any process."""
        flag = torch.tensor(float(here), device=self.device)
        self.average([flag])
        return flag.item() > 0


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the others, if there are any."""
    found = Processes()
    if found.device.type == "cuda":
        torch.cuda.set_device(found.device)
    if found.count > 1:
        dist.init_process_group("nccl" if found.device.type == "cuda" else "gloo")
    try:
        yield found
    finally:
        if found.count > 1:
            dist.destroy_process_group()
