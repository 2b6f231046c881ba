"""Pairs that are drawn once and kept on disk with what slow teachers make of them, so that these run once on each crop.

A cache is a folder: blocks of pairs, which are NumPy files with a record for every pair, and ``cache.json``, what they are made of.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from cfvgg.files import whole
from distill.config import Config
from distill.data.clips import Clip
from distill.data.pairs import PairBatch, Pairs
from distill.errors import DistillationError
from distill.lessons import Fidelity
from distill.losses import Levels
from distill.processes import Processes

BLOCK = 16  # pairs of a file: they lend each other distractors
SLOW = 1000  # operations for each number that is kept; what faster teachers make takes about as long to read as to compute
DRAWN, ORDERED = 1, 2  # what random numbers are for, behind the seed and a zero
CROPS = [field.name for field in fields(PairBatch)]


@dataclass(frozen=True)
class CachedBatch(PairBatch):
    """Pairs, and what slow teachers make of them: float16 (2 N, D, h, w), of z and behind them of x, named as by `Fidelity.outputs`."""

    outputs: dict[str, np.ndarray]


class Cache:
    """A number of pairs, gone through again and again, each time in another order. What they are depends on clips and settings alone.

    Parameters
    ----------
    folder : path
        Need not be there.
    config : Config
        Says how many; blocks that are there serve any number.
    pairs : Pairs
        Draws them.
    fidelities : sequence of Fidelity
        Their slow teachers are asked.

    Raises
    ------
    DistillationError
        If the folder holds something else, or a cache of other pairs or teachers.
    """

    def __init__(self, folder: str | os.PathLike, config: Config, pairs: Pairs, fidelities: Sequence[Fidelity]):
        self.folder, self._config, self._pairs, self._fidelities = Path(folder), config, pairs, fidelities
        self._shapes = {name: shape for fidelity in fidelities for name, shape in slow_outputs(fidelity, config.side).items()}
        crop = (3, config.side, config.side)
        plain = [("z", "u1", crop), ("x", "u1", crop), ("shift", "f4", (2,)), ("size", "f4", (2,)), ("clips", "i8")]
        self._record = np.dtype(plain + [(name, "f2", (2, *shape)) for name, shape in self._shapes.items()])
        self._blocks = range(-(-config.cached_pairs // BLOCK))
        self._about = {
            "seed": config.seed,
            "side": config.side,
            "search_area": config.search_area,
            "clips": f"{len(pairs.clips)} ({_digest(_clips(pairs.clips))})",
            "teachers": f"{' '.join(self._shapes) or 'none'} ({_digest(_networks(fidelities, self._shapes))})",
        }
        self._compare()

    def _compare(self) -> None:
        try:
            stored = json.loads((self.folder / "cache.json").read_text())
            changes = [f"{name} was {stored.get(name)}, is now {value}" for name, value in self._about.items() if stored.get(name) != value]
            strange = False
        except FileNotFoundError:
            changes, strange = [], self.folder.exists() and any(file.suffix != ".partial" for file in self.folder.iterdir())
        except (OSError, ValueError, AttributeError) as error:
            raise DistillationError(f"cannot read {self.folder / 'cache.json'}, so choose another folder for the cache: {error}") from error
        if changes:
            raise DistillationError(f"{self.folder} is another cache, so remove it or choose another folder: {', '.join(changes)}")
        if strange:
            raise DistillationError(f"{self.folder} holds other files than a cache, so choose another folder for it")

    def fill(self, place: Processes) -> None:
        """Make the blocks that are missing, each process its share, and wait for the others.

        Raises
        ------
        DistillationError
            If a block is broken or cannot be written, there is no room, or an output is too large for half precision.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if place.first:
                with whole(self.folder / "cache.json") as file:
                    file.write(json.dumps(self._about, indent=1).encode())
            missing = [number for number in self._blocks[place.rank :: place.count] if not self._has(number)]
            if place.first:
                self._announce()
            for number in tqdm(missing, unit="block", disable=None if place.first else True):
                outputs = self._made(number, place.device)
                with whole(self._path(number)) as file:
                    np.save(file, outputs)
        except OSError as error:
            raise DistillationError(f"cannot fill the cache {self.folder}: {error}") from error
        place.any(False)

    def _announce(self) -> None:
        """Say how large it will be, or that there is no room."""
        each, there = BLOCK * self._record.itemsize / 1e6, sum(self._path(number).exists() for number in self._blocks)
        needed, free = each * (len(self._blocks) - there), shutil.disk_usage(self.folder).free / 1e6
        if needed > free:
            raise DistillationError(f"the cache {self.folder} needs another {needed:,.0f} MB; {free:,.0f} MB are free")
        kept = f"{len(self._blocks) * BLOCK:,} pairs and {', '.join(self._shapes) or 'nothing of teachers, as none is slow'}"
        state = f"{each * len(self._blocks):,.0f} MB; {there} of {len(self._blocks)} files are there"
        print(f"cache {self.folder}: {kept}, {state}", file=sys.stderr)

    def batch(self, first: int, count: int) -> CachedBatch:
        """`count` pairs, from the place `first` of the order on, which has no end.

        Raises
        ------
        DistillationError
            If a block is missing or broken.
        """
        rounds, places = np.divmod(np.arange(first, first + count), self._config.cached_pairs)
        orders = {number: self._random(ORDERED, number).permutation(self._config.cached_pairs) for number in set(rounds.tolist())}
        indices = [int(orders[number][place]) for number, place in zip(rounds.tolist(), places.tolist(), strict=True)]
        records = np.concatenate([self._block(index // BLOCK)[index % BLOCK, None] for index in indices])
        crops = (np.ascontiguousarray(records[name]) for name in CROPS)
        return CachedBatch(*crops, {name: np.concatenate([records[name][:, 0], records[name][:, 1]]) for name in self._shapes})

    def _random(self, use: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self._config.seed, 0, use, number))

    def _made(self, number: int, device: torch.device) -> np.ndarray:
        """A block: (BLOCK,) records."""
        batch, block = self._pairs.batch(BLOCK, self._random(DRAWN, number)), np.empty(BLOCK, self._record)
        for name in CROPS:
            block[name] = getattr(batch, name)
        pictures = torch.from_numpy(np.concatenate([batch.z, batch.x])).to(device, torch.float32)
        made: Levels = {}
        for fidelity in self._fidelities:
            made |= fidelity.outputs(pictures, self._shapes.keys() - made.keys())
        for name, output in made.items():
            half = output.half()
            if not half.isfinite().all():
                raise DistillationError(f"{name} is too large for the half precision of a cache; train without one")
            block[name] = half.cpu().numpy().reshape(2, BLOCK, *half.shape[1:]).swapaxes(0, 1)
        return block

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.npy"

    def _has(self, number: int) -> bool:
        return self._path(number).exists() and len(self._block(number)) > 0

    def _block(self, number: int) -> np.ndarray:
        """A block on disk, of which as much is read as is used."""
        path = self._path(number)
        try:
            block = np.lib.format.open_memmap(path, mode="r")
        except (OSError, ValueError) as error:
            raise DistillationError(f"{path} is broken; remove it, and it is made again: {error}") from error
        if block.dtype != self._record or block.shape != (BLOCK,):
            raise DistillationError(f"{path} holds no {BLOCK} pairs of this cache; remove it, and it is made again")
        return block


def slow_outputs(fidelity: Fidelity, side: int) -> dict[str, tuple[int, int, int]]:
    """Shapes (D, h, w), by name, of what slow teachers (see `SLOW`) make of a crop of `side` pixels."""
    found: dict[str, tuple[int, int, int]] = {}
    for lesson in dict.fromkeys(pair.lesson for pair in fidelity.pairs):
        with FlopCounterMode(display=False) as counter:
            outputs = fidelity.outputs(torch.zeros(1, 3, side, side), {pair.output for pair in fidelity.pairs if pair.lesson is lesson})
        if counter.get_total_flops() > SLOW * sum(output.numel() for output in outputs.values()):
            found.update({name: tuple(output.shape[1:]) for name, output in outputs.items()})
    return found


def _digest(parts: Iterable[bytes]) -> str:
    found = blake2b(digest_size=6)
    for part in parts:
        found.update(part)
    return found.hexdigest()


def _clips(clips: Sequence[Clip]) -> Iterator[bytes]:
    """What tells clips from others, wherever the folder is."""
    for clip in clips:
        yield f"{clip.frames[0].parts[-2:]} {len(clip.frames)}".encode()
        yield b"" if clip.boxes is None else clip.boxes.tobytes()


def _networks(fidelities: Sequence[Fidelity], names: Iterable[str]) -> Iterator[bytes]:
    """The arrays of the teachers that make some outputs."""
    teachers = {pair.lesson.teacher: None for fidelity in fidelities for pair in fidelity.pairs if pair.output in names}
    for teacher in teachers:
        for name, array in teacher.state_dict().items():
            yield name.encode() + array.cpu().numpy().tobytes()
