"""Trackers over features of pictures: their options, their network, and its adaptation to a target."""

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cfvgg.forward import Backbone
from cfvgg.weights import Weights, load
from trackers import config as settings
from trackers.errors import UnknownOptionError, WeightsError
from trackers.features import colour
from trackers.tracker import Box, Target, Tracker


class FeatureTracker(Tracker):
    """A tracker over features of pictures, among them levels of a network.

    Parameters
    ----------
    backbone : path, Weights, Backbone or None
        Network of the features conv1 .. conv5; None stands for the weights shipped with the package.
    preset : str
        A published setting, by the benchmark that it is for.
    published : bool
        Compute what the authors' program computes, to the letter, where the default differs.
    tables : mapping of str to path or ndarray, or None
        Tables of your own for 'colour_names' (32768, C) or 'intensity' (256, C).
    channel_order : {'BGR', 'RGB'}
        Of the pictures.
    seed : int
        For whatever is drawn at random.
    adapt : bool or callable
        Adapt the network to each target on its first frame; needs PyTorch (``pip install cfvgg[train]``). Instead of True, a function of
        your own that takes what `distill.adaptation.adapt` takes first, such as that one with other settings, or with a teacher.
    **options
        Fields of the tracker's configuration.

    Attributes
    ----------
    adaptation : distill.adaptation.Adaptation or None
        How the network was adapted to the present target, and the seconds that `init` spent on it.

    Raises
    ------
    UnknownOptionError, WeightsError
    """

    presets: Mapping[str, Any]
    as_published: Mapping[str, Any] = settings.PUBLISHED  # options that `published` implies, but where a preset has its own
    brings_network = True  # whether the shipped weights stand in where none are given

    def __init__(
        self,
        backbone: str | os.PathLike | Weights | Backbone | None = None,
        *,
        preset: str = "otb",
        published: bool = False,
        tables: Mapping[str, str | os.PathLike | np.ndarray] | None = None,
        channel_order: str = "BGR",
        seed: int = 0,
        adapt: bool | Callable = False,
        **options,
    ):
        super().__init__(channel_order=channel_order, seed=seed)
        if preset not in list(self.presets):
            raise UnknownOptionError(f"preset={preset!r}; {type(self).__name__} has {', '.join(self.presets)}")
        if not isinstance(published, bool):
            raise UnknownOptionError(f"published={published!r}; True or False is needed")
        config = self.presets[preset]
        self.config = settings.override(config, {**(self._implied(config) if published else {}), **options})
        self._published = published
        used = {feature.name for feature in self.config.features}
        self._tables = colour.tables(used.intersection(settings.TABLES), tables or {})
        self._backbone = self._network(backbone)
        self._shared, self._adapt = self._backbone, self._adapting(adapt)
        self.adaptation = None

    def _implied(self, config: Any) -> dict[str, Any]:
        """What `published` changes of a preset: nothing that is its own."""
        usual = type(config)()
        return {name: value for name, value in self.as_published.items() if getattr(config, name) == getattr(usual, name)}

    def _network(self, backbone: str | os.PathLike | Weights | Backbone | None) -> Backbone | None:
        name = type(self).__name__
        if not any(feature.is_level for feature in self.config.features):
            if backbone is not None:
                raise UnknownOptionError(f"backbone={backbone!r}; none of the features of this {name} is of a network")
            return None
        if backbone is None and not self.brings_network:
            raise WeightsError(
                f"{name} needs VGG-M: give the path of its MatConvNet file, {name}('imagenet-vgg-m-2048.mat'), "
                f"or use f{name}, which brings CF-VGG"
            )
        if isinstance(backbone, Backbone):
            return backbone
        if not isinstance(backbone, str | os.PathLike | Weights | None):
            raise UnknownOptionError(f"backbone={backbone!r}; a path, Weights, a Backbone or None is needed")
        return Backbone(backbone if isinstance(backbone, Weights) else load(backbone))

    def _adapting(self, adapt: bool | Callable) -> Callable | None:
        """What adapts a network, or None. Torch comes with it: its import is no part of `init`, and nothing else here needs it."""
        if not isinstance(adapt, bool) and not callable(adapt):
            raise UnknownOptionError(f"adapt={adapt!r}; True, False or a function such as distill.adaptation.adapt is needed")
        if adapt is False:
            return None
        if self._backbone is None:
            raise UnknownOptionError(f"adapt={adapt!r}; {type(self).__name__} has no network to adapt")
        if adapt is not True:
            return adapt
        try:
            from distill.adaptation import adapt as function
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise UnknownOptionError("adapt=True needs PyTorch: pip install cfvgg[train]") from error
        return function

    @abstractmethod
    def _begin(self, image: np.ndarray, box: Box) -> Target:
        """Learn the target in the first picture with the present network."""

    def _start(self, image: np.ndarray, box: Box) -> Target:
        if self._adapt is not None:
            self.adaptation = self._adapt(self._shared.weights, image, box, self._seed)
            self._backbone = Backbone(self.adaptation.weights)
        return self._begin(image, box)
