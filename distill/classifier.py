"""CF-VGG pretrained by classification alone, the "pretrained tiny model" of Wang et al. 2020, Table IV: no teacher, no tracking loss.

The paper's classifies the pictures of ImageNet. Here labelled boxes take ImageNet's place, of any data set that `distill.data.datasets`
reads: a substitute, with thousands of crops for a million pictures and a handful of classes for a thousand.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from cfvgg import weights
from cfvgg.architecture import LEVELS, channels, minimum_size
from cfvgg.network import Network
from distill import checkpoints
from distill.config import Schedule, number
from distill.data.augmentation import Augmentation
from distill.data.clips import Clip, Dataset
from distill.data.datasets import open_dataset
from distill.data.pairs import PairBatch, Pairs
from distill.data.store import Store
from distill.errors import DistillationError
from distill.processes import Processes
from distill.record import Record, Values
from distill.students import SPREADS, mean_picture, random_student
from distill.teachers.base import MEAN_COLOUR, colour
from distill.train import SAMPLE, joined, run

LEVEL = LEVELS[-1]  # what the classes are told from
SOURCE = "CF-VGG pretrained by classification of labelled boxes, in place of ImageNet; no teacher"
HELD_OUT_BATCH = 64

# A crop of a pair is a crop of its label, too. Things pasted into it would have labels of their own.
CHANGED = Augmentation(shift=0.3, scale=1.3, distracted=0, occluded=0)
PLAIN = Augmentation(shift=0, scale=1, rotation=0, flipped=0, greyed=0, blurred=0, coloured=0, occluded=0, distracted=0)


@dataclass(frozen=True)
class Config(Schedule):
    """What decides the result of a training, together with the data and the student it begins with.

    Raises
    ------
    DistillationError
        If a value makes no sense.
    """

    ratio: float = number(64.0, 1, "compression of the student against VGG-M")
    epochs: int = number(50, 1, "epochs")
    pairs: int = number(3200, 1, "pairs of crops of an epoch; both crops of a pair are of one box")
    batch: int = number(16, 1, "pairs of a step")
    rate: float = number(1e-3, 1e-12, "learning rate of AdamW in the first step")
    fall: float = number(100.0, 1, "first learning rate over the last; it falls exponentially")
    decay: float = number(0.01, 0, "weight decay")
    boxes: int = number(150, 1, "a class has at least so many boxes")
    side: int = number(224, minimum_size(LEVEL), "pixels of a crop")
    context: float = number(2.0, 1, "side of a crop over that of the box, sqrt(w h)")
    seed: int = number(0, 0, "of filters, boxes and their changes")


class Classifier(torch.nn.Module):
    """A linear classifier on the means over cells of a network's conv5, behind its ReLU.

    Parameters
    ----------
    student : Network
    classes : int
        How many there are.
    side : int
        Pixels of a picture.
    """

    def __init__(self, student: Network, classes: int, side: int):
        super().__init__()
        self.student = student
        self.register_buffer("_mean", mean_picture(student, side), persistent=False)
        # The means are small, alike, and drift as the network learns: without their normalisation few classes are ever told apart.
        self.normalise = torch.nn.BatchNorm1d(len(student.convolutions[-1].bias), affine=False)
        self.head = torch.nn.Linear(self.normalise.num_features, classes)
        torch.nn.init.zeros_(self.head.weight)  # no class is preferred, and nothing has to be drawn
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Scores (N, classes), before the softmax, of pictures (N, 3, side, side), uint8."""
        means = self.student(pictures.float() - self._mean, (LEVEL,))[LEVEL].mean(dim=(2, 3))
        return self.head(self.normalise(means))


class Training:
    """A classifier, and where its training stands.

    What is drawn in a step depends on the seed and its number alone, so that a training can be resumed anywhere.

    Parameters
    ----------
    config : Config
    dataset : Dataset
        Clips without a label, or of a label with too few boxes, are left out.
    start : Weights or None
        The student to begin with; None: random filters.

    Attributes
    ----------
    classes : list of str
        In alphabetical order.
    held_out : int
        Boxes that accuracies are measured on.
    step, steps : int
        Steps done, and of the whole training.
    seconds : float
        What the training has taken so far; kept by whoever runs it.
    unreadable : int
        Pictures and annotations that could not be read so far.

    Raises
    ------
    DistillationError
        If start and configuration do not fit, fewer than two classes have enough boxes, or no box can be read.
    """

    def __init__(self, config: Config, dataset: Dataset, start: weights.Weights | None = None):
        self.config, self.step, self.steps, self.seconds = config, 0, config.steps, 0.0
        widths = channels(config.ratio)
        if start is not None and start.widths != widths:
            raise DistillationError(f"the student has {start.widths} channels; compression {config.ratio:g} means {widths}")
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.classes = frequent_labels([*dataset.training, *dataset.validation], config.boxes)
        trained, held_out = ([clip for clip in part if clip.label in self.classes] for part in (dataset.training, dataset.validation))
        if not trained or not held_out:
            raise DistillationError(
                f"{len(trained)} boxes of {', '.join(self.classes)} to train on, {len(held_out)} held out; both are needed"
            )
        store, self._annotations = Store(), len(dataset.broken)
        self._pairs = Pairs(trained, config.side, config.context, augmentation=CHANGED, store=store)
        self._labels = self._numbers(trained)
        plain = Pairs(held_out, config.side, config.context, augmentation=PLAIN, store=store)
        whole = plain.of(range(len(held_out)), np.random.default_rng(config.seed))
        self._crops, self._truth = whole.z, self._numbers(held_out)[whole.clips]
        student = self._random_student() if start is None else Network(start)
        self.classifier = Classifier(student, len(self.classes), config.side).to(self._device)
        counts = torch.bincount(self._labels, minlength=len(self.classes)).clamp(min=1)
        self._weights = (counts.float().mean() / counts).to(self._device)  # else rare classes would hardly be learnt
        self._optimiser = torch.optim.AdamW(self.classifier.parameters(), config.rate, weight_decay=config.decay)

    def _random_student(self) -> Network:
        rng = np.random.default_rng((self.config.seed, 0))
        sample = self._pairs.batch(SAMPLE, rng).x
        return random_student(channels(self.config.ratio), colour(MEAN_COLOUR).numpy(), sample, SPREADS, rng)

    def _numbers(self, clips: Sequence[Clip]) -> torch.Tensor:
        return torch.tensor([self.classes.index(clip.label) for clip in clips])

    @property
    def held_out(self) -> int:
        return len(self._truth)

    @property
    def unreadable(self) -> int:
        return self._annotations + len(self._pairs.broken)

    def draw(self, step: int) -> PairBatch:
        """The crops of a step."""
        return self._pairs.batch(self.config.batch, np.random.default_rng((self.config.seed, 1 + step)))

    def advance(self, batch: PairBatch) -> dict[str, float]:
        """Do one step and return its cross-entropy, in which all classes weigh alike.

        Raises
        ------
        DistillationError
            If that is no finite number; the student is then as it was before the step.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.rate_at(self.step)
        crops, labels = torch.from_numpy(np.concatenate([batch.z, batch.x])), self._labels[batch.clips].repeat(2)
        loss = F.cross_entropy(self.classifier(crops.to(self._device)), labels.to(self._device), self._weights)
        found = {"classes": loss.item()}
        if not isfinite(found["classes"]):
            raise DistillationError(f"the loss of step {self.step} is {found}; try a rate below {self.config.rate:g}")
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self.step += 1
        return found

    @torch.no_grad()
    def validate(self) -> Values:
        """Share of held-out boxes whose class is found, "accuracy": of all of them, and of each class that has any."""
        batches = torch.from_numpy(self._crops).split(HELD_OUT_BATCH)
        self.classifier.eval()
        right = torch.cat([self.classifier(crops.to(self._device)).argmax(1).cpu() for crops in batches]) == self._truth
        self.classifier.train()
        found = {name: right[self._truth == number] for number, name in enumerate(self.classes)}
        shares = {"all": right} | {name: each for name, each in found.items() if len(each)}
        return {"accuracy": {name: round(each.float().mean().item(), 5) for name, each in shares.items()}}

    def export(self) -> weights.Weights:
        """The student, without its classifier."""
        return self.classifier.student.export()

    def state(self) -> checkpoints.State:
        """What changes from step to step."""
        kept = {"optimiser": self._optimiser.state_dict(), "step": self.step, "seconds": self.seconds}
        return {"classifier": self.classifier.state_dict(), **kept}

    def restore(self, state: checkpoints.State) -> None:
        """Go to a state.

        Raises
        ------
        DistillationError
            If it is that of another training.
        """
        try:
            self.classifier.load_state_dict(state["classifier"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
        except (KeyError, RuntimeError, ValueError) as error:
            raise DistillationError(f"the checkpoint is of another training: {error}") from error


class ClassifierRecord(Record):
    """The files of such a training: those of any other, but that the weights say how they were made."""

    def write(self, training: Training, found: Values) -> None:
        """Write the weights, with what validation has `found` in their metadata."""
        about = {
            "source": SOURCE, "steps": f"{training.step} of {training.steps}", "classes": " ".join(training.classes),
            "settings": json.dumps(self._settings), "validation": json.dumps(found), "held_out": f"{training.held_out} boxes",
        }  # fmt: skip
        weights.save(replace(training.export(), metadata=about), self.out)


def frequent_labels(clips: Sequence[Clip], boxes: int) -> list[str]:
    """Labels of at least `boxes` clips, in alphabetical order.

    Raises
    ------
    DistillationError
        If there are fewer than two.
    """
    counts = Counter(clip.label for clip in clips if clip.label is not None)
    found = sorted(label for label, count in counts.items() if count >= boxes)
    if len(found) < 2:
        most = ", ".join(f"{label} ({count})" for label, count in counts.most_common(3)) or "no label at all"
        raise DistillationError(f"{len(found)} classes have at least {boxes} boxes, two are needed; the most frequent: {most}")
    return found


def train(
    config: Config, data: Sequence[str | os.PathLike], out: str | os.PathLike, start: str | os.PathLike | None = None, resume: bool = False
) -> weights.Weights:
    """Train a CF-VGG to classify boxes, and write it, without its classifier.

    Ctrl-C ends the training after the present step and leaves a checkpoint.

    Parameters
    ----------
    config : Config
    data : sequence of path
        Folders, see `distill.data.datasets.open_dataset`.
    out : path
        The ``.safetensors`` to write, after every epoch. Beside it lie the files that `distill.train.train` writes; in the metrics are
        ``loss``, and after each epoch, and before the first, ``accuracy`` on held-out boxes.
    start : path or None
        Weights to begin with; None: random filters.
    resume : bool
        Go on from the checkpoint of `out`.

    Raises
    ------
    WeightsError
        If `start` cannot be read, or the weights not written.
    DistillationError
        If data and configuration do not fit, a file cannot be used, or the loss is no finite number.
    """
    record = ClassifierRecord(Path(out))
    record.check(resume)
    begun = None if start is None else replace(weights.load(start), metadata={})
    training = Training(config, joined([open_dataset(folder) for folder in data]), begun)
    named = {"data": " ".join(Path(folder).name for folder in data), "start": "" if start is None else Path(start).name}
    settings = {**asdict(config), **named, "classes": " ".join(training.classes)}
    if resume:
        training.restore(checkpoints.load(record.checkpoint, settings))
    record.begin(training, settings)
    try:
        run(training, record, Processes())
    finally:
        record.plot()
    return training.export()
