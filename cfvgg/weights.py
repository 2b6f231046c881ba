"""Weights of a network: MatConvNet ``.mat`` and ``.safetensors`` in, ``.safetensors`` out, and the file we ship."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

import numpy as np

from cfvgg.architecture import LAYERS, LRN_ALPHA, LRN_BETA, LRN_KAPPA, LRN_WINDOW, Layer, filter_shapes
from cfvgg.errors import WeightsError
from cfvgg.files import whole

SHIPPED = Path(__file__).parent / "data" / "cfvgg.safetensors"
FORMAT = "cfvgg-1"


@dataclass(frozen=True)
class Weights:
    """Filters, biases and mean picture of a VGG-M of any width.

    Attributes
    ----------
    filters : tuple of ndarray, float32, (out, in, kernel, kernel)
        One array for each of the five convolutions; the input channels of the first are R, G, B.
    biases : tuple of ndarray, float32, (out,)
    mean : ndarray, float32, (3, h, w)
        Mean picture (R, G, B; 0..255), resized to the input before it is subtracted; (3, 1, 1) for a constant.
    metadata : dict of str to str
        Where the weights came from; free text.

    Raises
    ------
    WeightsError
        If the shapes do not belong to one network, or a number is not finite.
    """

    filters: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    mean: np.ndarray
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if len(self.filters) != len(LAYERS) or len(self.biases) != len(LAYERS):
            raise WeightsError(f"{len(self.filters)} filter and {len(self.biases)} bias arrays; the network has {len(LAYERS)} convolutions")
        for layer, weight, bias, shape in zip(LAYERS, self.filters, self.biases, filter_shapes(self.widths), strict=True):
            if weight.shape != shape or bias.shape != shape[:1]:
                raise WeightsError(f"{layer.name}: filters {weight.shape} and bias {bias.shape}; expected {shape} and {shape[:1]}")
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise WeightsError(f"{layer.name} holds NaN or infinite weights")
        if self.mean.ndim != 3 or self.mean.shape[0] != 3 or self.mean.size == 0 or not np.isfinite(self.mean).all():
            raise WeightsError(f"mean picture has shape {self.mean.shape}; expected finite (3, height, width)")

    @property
    def widths(self) -> tuple[int, ...]:
        """Output channels of the five convolutions."""
        return tuple(weight.shape[0] for weight in self.filters)


def load(path: str | os.PathLike | None = None) -> Weights:
    """Read weights from a file.

    Parameters
    ----------
    path : path or None
        A MatConvNet ``.mat``, a ``.safetensors`` written by `save`, or None for the weights shipped with the package.

    Raises
    ------
    WeightsError
        If the file is missing, broken, or does not hold the five convolutions.
    """
    path = SHIPPED if path is None else Path(path)
    if not path.is_file():
        raise WeightsError(f"no file of weights at {path}")
    readers = {".mat": _load_matconvnet, ".safetensors": _load_safetensors}
    if path.suffix.lower() not in readers:
        raise WeightsError(f"{path}: weights are read from {' or '.join(readers)}, not {path.suffix or 'a file without suffix'}")
    return readers[path.suffix.lower()](path)


def save(weights: Weights, path: str | os.PathLike) -> None:
    """Write weights as ``.safetensors``, whole or not at all.

    Raises
    ------
    WeightsError
        If `path` does not end in ``.safetensors`` or cannot be written.
    """
    from safetensors.numpy import save as serialise

    path = Path(path)
    if path.suffix != ".safetensors":
        raise WeightsError(f"{path}: weights are written as .safetensors")
    tensors = {"mean": weights.mean}
    for layer, weight, bias in zip(LAYERS, weights.filters, weights.biases, strict=True):
        tensors[f"{layer.name}.weight"], tensors[f"{layer.name}.bias"] = weight, bias
    tensors = {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}
    try:
        with whole(path) as file:
            file.write(serialise(tensors, {**weights.metadata, "format": FORMAT}))
    except OSError as error:
        raise WeightsError(f"cannot write {path}: {error}") from error


def _load_safetensors(path: Path) -> Weights:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(sorted((file.metadata() or {}).items()))  # safetensors gives them in a random order
            if metadata.get("format") != FORMAT:
                raise WeightsError(f"{path} is of another program: its format is {metadata.get('format')!r}, expected {FORMAT!r}")
            filters = tuple(np.asarray(file.get_tensor(f"{layer.name}.weight"), np.float32) for layer in LAYERS)
            biases = tuple(np.asarray(file.get_tensor(f"{layer.name}.bias"), np.float32) for layer in LAYERS)
            mean = np.asarray(file.get_tensor("mean"), np.float32)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is not a readable .safetensors file: {error}") from error
    return Weights(filters, biases, mean, metadata)


def _load_matconvnet(path: Path) -> Weights:
    filters, biases, mean = first_layers(path)
    names = [layer.name for layer in LAYERS]
    if len(filters) < len(names):
        raise WeightsError(f"{path} has no layer {names[len(filters)]}; its layers: {', '.join(names[: len(filters)])}")
    if mean is None:
        raise WeightsError(f"{path} holds no mean picture (meta.normalization.averageImage)")
    return Weights(filters, biases, mean, {"source": f"MatConvNet file {path.name}"})


def first_layers(path: str | os.PathLike) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.ndarray | None]:
    """Filters, biases and mean picture, as in `Weights`, of a MatConvNet file of VGG-M that may be cut off behind any of the layers.

    Read are 'simplenn' files as MatConvNet saves them, with or without the outer ``net``, new or old field names. The mean picture is
    None where there is none.

    Raises
    ------
    WeightsError
        If the file is broken, has no ``conv1``, or is of a network with other layers.
    """
    from scipy.io import loadmat

    path = Path(path)
    try:
        content = loadmat(path, squeeze_me=True, struct_as_record=False)
    except Exception as error:  # scipy raises many kinds on a broken file; all mean the same here
        raise WeightsError(f"{path} is not a readable MATLAB file: {type(error).__name__}: {error}") from error
    net = content.get("net")
    layers = getattr(net, "layers", content.get("layers"))
    if layers is None:
        raise WeightsError(f"{path} holds no MatConvNet network: neither 'net' nor 'layers' in it")
    found = {layer.name: layer for layer in np.atleast_1d(layers) if hasattr(layer, "name")}
    present = list(takewhile(lambda layer: layer.name in found, LAYERS))
    if not present:
        raise WeightsError(f"{path} has no layer {LAYERS[0].name}; its layers: {', '.join(map(str, found)) or 'none'}")
    filters, biases = zip(*(_matconvnet_convolution(path, found[layer.name], layer) for layer in present), strict=True)
    _check_normalisation(path, found.values(), present)
    meta = getattr(net, "meta", content.get("meta"))
    normalisation = getattr(meta, "normalization", None) or getattr(net, "normalization", content.get("normalization"))
    if not hasattr(normalisation, "averageImage"):
        return filters, biases, None
    mean = np.asarray(normalisation.averageImage, np.float32)
    mean = mean.reshape(3, 1, 1) if mean.size == 3 else mean.transpose(2, 0, 1) if mean.ndim == 3 else mean
    return filters, biases, np.ascontiguousarray(mean)


def _matconvnet_convolution(path: Path, layer, expected) -> tuple[np.ndarray, np.ndarray]:
    """Filters (out, in, k, k) and biases (out,) of one layer, after checking that it is the layer we expect."""
    weights = getattr(layer, "weights", None)
    stored = [getattr(layer, "filters", None), getattr(layer, "biases", None)] if weights is None else list(np.atleast_1d(weights))
    if len(stored) != 2 or np.ndim(stored[0]) != 4:
        raise WeightsError(f"{path}: layer {expected.name} has no filters of four dimensions")
    for name, default, value in (("pad", 0, expected.padding), ("stride", 1, expected.stride)):
        if not np.all(getattr(layer, name, default) == np.float64(value)):
            raise WeightsError(f"{path}: layer {expected.name} has {name} {getattr(layer, name, default)}; VGG-M has {value}")
    weight = np.ascontiguousarray(np.asarray(stored[0], np.float32).transpose(3, 2, 0, 1))
    return weight, np.atleast_1d(np.asarray(stored[1], np.float32)).ravel()


def _check_normalisation(path: Path, layers: Iterable, present: list[Layer]) -> None:
    """Refuse a network whose local response normalisation is not the one that `cfvgg.forward` computes."""
    expected = (LRN_WINDOW, LRN_KAPPA, LRN_ALPHA, LRN_BETA)
    given = [np.ravel(getattr(layer, "param", ())) for layer in layers if getattr(layer, "type", "") in ("lrn", "normalize")]
    count = sum(layer.normalised for layer in present)
    if len(given) != count or not all(len(p) == 4 and np.allclose(p, expected) for p in given):
        raise WeightsError(f"{path}: local response normalisation {[p.tolist() for p in given]}; expected {count} times {expected}")
