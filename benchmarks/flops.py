"""What backbones cost: feature maps, parameters and floating-point operations of VGG-M, its compressions and SiamFC's AlexNet."""

from dataclasses import dataclass

from cfvgg.architecture import LAYERS, channels, level_sizes

ALEXNET_SIDE = 255  # pixels of SiamFC's search region


@dataclass(frozen=True)
class Convolution:
    """One convolution of a network on a picture of a known size.

    Attributes
    ----------
    name : str
    inputs, channels : int
        Channels of its input and output.
    kernel : int
        Side.
    side : int
        Of the square output, in cells.
    groups : int
        Into which the channels are split; outputs of a group see only the inputs of that group.
    """

    name: str
    inputs: int
    channels: int
    kernel: int
    side: int
    groups: int = 1

    @property
    def taps(self) -> int:
        """Weights of one output channel, and its bias."""
        return self.inputs // self.groups * self.kernel**2 + 1

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.taps * self.channels

    @property
    def flops(self) -> int:
        """2 H W (C_in K^2 + 1) C_out, two for a multiplication and an addition (Wang et al. 2020, section V-B)."""
        return 2 * self.side**2 * self.parameters


def vgg_m(ratio: float = 1, side: int = 224) -> list[Convolution]:
    """VGG-M compressed `ratio` times (64: CF-VGG), on a picture of `side` pixels.

    Raises
    ------
    WeightsError
        If `ratio` is below 1.
    """
    widths, sizes = channels(ratio), level_sizes(side)
    return [
        Convolution(layer.name, inputs, width, layer.kernel, sizes[layer.name])
        for layer, inputs, width in zip(LAYERS, (3, *widths), widths, strict=False)
    ]


def alexnet(side: int = ALEXNET_SIDE) -> list[Convolution]:
    """The AlexNet of SiamFC (Bertinetto et al. 2016, Table 1, and its code): nothing is padded; conv2, conv4 and conv5 have two groups."""
    found, inputs = [], 3
    for number, (width, kernel, stride, groups, pooled) in enumerate(
        [(96, 11, 2, 1, True), (256, 5, 1, 2, True), (384, 3, 1, 1, False), (384, 3, 1, 2, False), (256, 3, 1, 2, False)], start=1
    ):
        side = (side - kernel) // stride + 1
        found.append(Convolution(f"conv{number}", inputs, width, kernel, side, groups))
        side = (side - 3) // 2 + 1 if pooled else side
        inputs = width
    return found


def flops(network: list[Convolution]) -> int:
    """Floating-point operations of all convolutions."""
    return sum(layer.flops for layer in network)


def parameters(network: list[Convolution]) -> int:
    """Weights and biases of all convolutions."""
    return sum(layer.parameters for layer in network)
