"""Any torch module as a teacher."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch

from distill.errors import DistillationError
from distill.teachers.base import Tap, Teacher, colour


class ModuleTeacher(Teacher):
    """The outputs of some of a module's submodules.

    Parameters
    ----------
    module : torch.nn.Module
        Takes a batch of pictures (N, 3, H, W). It is frozen.
    taps : dict of str to Tap
        By the dotted name of a submodule that gives one tensor (N, C, h, w), as ``module.named_modules()`` has it. Stride and centre
        follow from the layers before it: a layer of kernel k, stride s and padding p moves the centre by (stride so far) ((k - 1) / 2 - p)
        and multiplies the stride by s.
    mean, std : (float, float, float)
        What the module wants subtracted from pictures of 0 .. 255, and then divided by, in its own order of colours.
    bgr : bool
        The module's colours are B, G, R.
    mapping : dict of str to str
        Tap for each level, unless the user names others.
    kind : str
        A name, for those of losses.

    Raises
    ------
    DistillationError
        If the module has no such submodule; later, if one gives something else than its tap says.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        taps: Mapping[str, Tap],
        mean: Sequence[float] = (0, 0, 0),
        std: Sequence[float] = (1, 1, 1),
        bgr: bool = False,
        mapping: Mapping[str, str] | None = None,
        kind: str = "module",
    ):
        super().__init__()
        self.module, self.kind = module, kind
        self._taps, self._bgr, self._mapping = dict(taps), bgr, dict(mapping or {})
        names = [name for name, _ in module.named_modules() if name]
        for tap in self._taps:
            if tap not in names:
                raise DistillationError(f"the module has no submodule {tap!r}; it has {', '.join(names)}")
        self.register_buffer("mean", colour(mean))
        self.register_buffer("std", colour(std))
        self.freeze()

    def taps(self, height: int, width: int) -> dict[str, Tap]:
        """See `Teacher.taps`; as given."""
        return dict(self._taps)

    def compute(self, pictures: torch.Tensor, names: Sequence[str]) -> dict[str, torch.Tensor]:
        """See `Teacher.compute`."""
        found: dict[str, object] = {}
        hooks = [self.module.get_submodule(name).register_forward_hook(partial(_keep, found, name)) for name in names]
        try:
            self.module(((pictures.flip(1) if self._bgr else pictures) - self.mean) / self.std)
        finally:
            for hook in hooks:
                hook.remove()
        for name in names:
            output, channels = found.get(name), self._taps[name].channels
            if not isinstance(output, torch.Tensor) or output.ndim != 4 or output.shape[1] != channels:
                given = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
                raise DistillationError(f"submodule {name!r} gave {given}; its tap says (N, {channels}, h, w)")
        return found

    def default_mapping(self, widths: Sequence[int]) -> dict[str, str]:
        """As given."""
        return dict(self._mapping)


def _keep(found: dict[str, object], name: str, module: torch.nn.Module, inputs: tuple, output: object) -> None:
    """Note an output under its name; a copy, since a ReLU that works in place would change it."""
    found[name] = output.clone() if isinstance(output, torch.Tensor) else output
