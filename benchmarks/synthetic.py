"""Synthetic videos with real texture and exact ground truth.

A target cut from a photograph moves over another photograph that pans; the photographs are those in scikit-image's wheel.
Coordinates are those of boxes: pixel (0, 0) covers [0, 1) x [0, 1), so its centre is (0.5, 0.5).
"""

from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from trackers.errors import UnknownOptionError, VideoError
from trackers.opencv import cv2

TAU = 2 * np.pi
ELLIPSE = np.stack([np.cos(TAU * np.arange(120) / 120), np.sin(TAU * np.arange(120) / 120)], axis=1)
HEAD = [(230, 16), (250, 18), (270, 27), (287, 42), (297, 62), (300, 82), (299, 100), (290, 118), (279, 130), (270, 136), (266, 140)]
HEAD += [(262, 155), (256, 168), (252, 184), (243, 189), (231, 191), (216, 187), (200, 185), (189, 177), (186, 160), (183, 145)]
HEAD += [(181, 131), (174, 126), (170, 119), (158, 107), (155, 90), (153, 70), (158, 57), (170, 45), (187, 37), (197, 26), (212, 20)]
CUP = [(280, 18), (320, 24), (355, 40), (385, 70), (403, 103), (430, 120), (455, 155), (472, 190), (478, 220), (470, 265), (450, 305)]
CUP += [(420, 340), (380, 367), (335, 382), (290, 388), (245, 386), (200, 374), (155, 352), (115, 318), (90, 275), (78, 235), (77, 205)]
CUP += [(82, 175), (97, 140), (120, 112), (150, 90), (180, 75), (190, 58), (215, 36), (245, 23)]

# A picture and the target's outline in it, (K, 2), x and y.
TARGETS = {
    "astronaut": ("astronaut.png", np.array(HEAD, float)),
    "cat": ("chelsea.png", ELLIPSE * (150, 140) + (207, 148)),
    "cup": ("coffee.png", np.array(CUP, float)),
}
BACKGROUNDS = {
    "garage": "motorcycle_left.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "launch": "rocket.jpg",
    "stars": "hubble_deep_field.jpg",
    "tissue": "ihc.png",
}
WOOD = "coffee.png", np.array([(485, 0), (600, 0), (600, 400), (485, 400)], float)  # the table beside the saucer

# Periods in frames; the strengths of `Scene` say how far things go, these how fast.
LAP, BURST, ZOOM, TURN, PAN, SHADOW, FOCUS, PASSAGE = 150, 60, 110, 90, 200, 120, 70, 80
WORLD = 1.5  # size of the background next to the picture's

# Motion blur is a mean over positions this far apart (pixels), but no more than so many.
BLUR_STEP, BLUR_STEPS = 1.5, 12


@dataclass(frozen=True)
class Scene:
    """What a synthetic video shows. Every strength of 0 switches its effect off.

    Attributes
    ----------
    frames : int
        Number of frames.
    size : (int, int)
        Height and width in pixels.
    seed : int
        Of all that is random; one effect's draws do not depend on another's strength.
    target, background : str
        Keys of `TARGETS` and `BACKGROUNDS`.
    target_size : float
        Mean height of the target over that of the picture.
    motion : float
        Speed of target and distractors; at 1 they cross the picture in about 75 frames, three times as fast in bursts.
    reach : float
        How far the target goes; at 1 to the border, above 1 out of the picture.
    camera : float
        Panning over the background; at 1 over all of it.
    scale : float
        The target's size stays within 1 / (1 + scale) and 1 + scale times its mean.
    rotation : float
        Largest angle in the picture plane, in degrees.
    blur : float
        Motion blur, as the share of the frame time for which the shutter is open, and defocus; at 1 up to 0.6 % of the height.
    illumination : float
        Share of the light that is lost in a shadow that sweeps over the picture.
    occlusion : float
        Share of the target's mean width that a passing post covers.
    distractors : int
        Number of look-alikes: the target mirrored, in another tint.
    vanish : (int, int) or None
        First frame without the target, and first frame with it again.
    noise : float
        Standard deviation of the sensor's noise in grey levels.
    grey : bool
        Frames (H, W) instead of (H, W, 3).

    Raises
    ------
    UnknownOptionError
        For an unknown target or background, no frame, or a picture of less than 16 pixels.
    """

    frames: int = 150
    size: tuple[int, int] = (360, 480)
    seed: int = 0
    target: str = "cup"
    background: str = "garage"
    target_size: float = 0.25
    motion: float = 1.0
    reach: float = 0.8
    camera: float = 1.0
    scale: float = 0.4
    rotation: float = 25.0
    blur: float = 0.6
    illumination: float = 0.5
    occlusion: float = 0.5
    distractors: int = 2
    vanish: tuple[int, int] | None = None
    noise: float = 3.0
    grey: bool = False

    def __post_init__(self):
        for name, value, allowed in (("target", self.target, TARGETS), ("background", self.background, BACKGROUNDS)):
            if value not in allowed:
                raise UnknownOptionError(f"{name}={value!r}; allowed are {', '.join(allowed)}")
        if self.frames < 1 or min(self.size) < 16:
            raise UnknownOptionError(f"{self.frames} frames of {self.size} pixels (H, W); at least one of 16 x 16 is needed")


@dataclass(frozen=True)
class Layer:
    """Something painted over the background.

    Attributes
    ----------
    texture : ndarray, float32, (h, w, 4)
        B, G, R, each times the coverage, and the coverage in [0, 1].
    outline : ndarray, (K, 2)
        Polygon of what is covered, x and y from the texture's centre.
    motion : ndarray, (N, 2, 3)
        Affine map from the texture, x and y from its centre, to each frame.
    """

    texture: np.ndarray
    outline: np.ndarray
    motion: np.ndarray

    def boxes(self) -> np.ndarray:
        """Bounds of the outline, (N, 4): x, y, w, h, not clipped to the picture."""
        return _bounds(self.outline, self.motion)

    def warp(self, matrix: np.ndarray, window: tuple[int, int, int, int]) -> np.ndarray:
        """The texture (h, w, 4) under `matrix` in the `window` (x, y, w, h) of the picture."""
        x, y, width, height = window
        centre = np.array(self.texture.shape[1::-1]) / 2
        pixels = matrix.copy()  # OpenCV's coordinates are 0 at a pixel's centre
        pixels[:, 2] += matrix[:, :2] @ (0.5 - centre) - (x + 0.5, y + 0.5)
        return cv2.warpAffine(self.texture, pixels, (width, height), flags=cv2.INTER_LINEAR)

    def paint(self, picture: np.ndarray, index: int, shutter: float) -> None:
        """Paint frame `index` onto `picture` (H, W, 3): the mean over the time for which the shutter is open."""
        before, after = self.motion[max(index - 1, 0)], self.motion[min(index + 1, len(self.motion) - 1)]
        path = (after - before) / 2 * shutter
        steps = int(np.clip(np.ceil(np.hypot(*path[:, 2]) / BLUR_STEP), 1, BLUR_STEPS))
        times = (np.arange(steps) + 0.5) / steps - 0.5
        window = self._window(self.motion[index] + path * [[[-0.5]], [[0.5]]], picture.shape)
        if min(window[2:]) <= 0:
            return
        drawn = sum(self.warp(self.motion[index] + time * path, window) for time in times) / np.float32(steps)
        x, y, width, height = window
        under = picture[y : y + height, x : x + width]
        under[:] = under * (1 - drawn[:, :, 3:]) + drawn[:, :, :3] + np.float32(0.5)

    def _window(self, motion: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The part (x, y, w, h) of a picture of `shape` that the layer may touch under any of `motion` (M, 2, 3)."""
        boxes = _bounds(self.outline, motion)
        low = np.floor(boxes[:, :2].min(axis=0)).astype(int) - 2
        high = np.ceil((boxes[:, :2] + boxes[:, 2:]).max(axis=0)).astype(int) + 2
        low, high = np.maximum(low, 0), np.minimum(high, shape[1::-1])
        return (*low.tolist(), *(high - low).tolist())


class Video(AbstractSequence):
    """The frames of a scene, rendered when asked for: `video[index]`, or by iteration, as often as wanted.

    Frames are uint8, (H, W, 3) in the order B, G, R, or (H, W) for a grey scene.
    """

    def __init__(self, scene: Scene, layers: list[Layer], target: Layer, rng: np.random.Generator):
        camera, light, lens, sensor = rng.spawn(4)
        time, (height, width) = np.arange(scene.frames), scene.size
        self._scene, self._layers, self._target = scene, layers, target
        self._background = _cover(read(BACKGROUNDS[scene.background]), scene.size, WORLD)
        free = np.array(self._background.shape[1::-1]) - (width, height)
        pan = np.stack([_wave(camera, time, PAN), _wave(camera, time, PAN)], axis=1)
        self._view = np.array(self._background.shape[1::-1]) / 2 - 0.5 + scene.camera * pan * free / 2
        self._shadow = width * (0.5 + 0.7 * _wave(light, time, SHADOW))
        self._defocus = scene.blur * 0.006 * height * np.maximum(_wave(lens, time, FOCUS), 0) ** 2
        # Drawing a frame's noise takes longer than all the rest: each takes its part of a larger sheet.
        self._offset = sensor.integers(0, 64, (scene.frames, 2))
        self._noise = np.rint(scene.noise * sensor.standard_normal((height + 63, width + 63, 3), np.float32)).astype(np.int16)

    def __len__(self) -> int:
        return self._scene.frames

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        scene, (height, width) = self._scene, self._scene.size
        picture = cv2.getRectSubPix(self._background, (width, height), tuple(self._view[index]))
        for layer in self._layers:
            if layer is not self._target or not _vanished(scene, index):
                layer.paint(picture, index, scene.blur)
        if scene.illumination:
            depth = 1 / (1 + np.exp((np.arange(width) - self._shadow[index]) / (0.05 * width)))
            picture = (picture * (1 - scene.illumination * depth).astype(np.float32)[:, None] + np.float32(0.5)).astype(np.uint8)
        if self._defocus[index] > 0.2:
            picture = cv2.GaussianBlur(picture, (0, 0), self._defocus[index])
        if scene.noise:
            y, x = self._offset[index]
            picture = cv2.add(picture, self._noise[y : y + height, x : x + width], dtype=cv2.CV_8U)
        return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if scene.grey else picture

    def mask(self, index: int) -> np.ndarray:
        """Coverage of the target in frame `index`, float32, (H, W) in [0, 1], as if nothing hid or blurred it."""
        height, width = self._scene.size
        return self._target.warp(self._target.motion[index], (0, 0, width, height))[:, :, 3]


@dataclass(frozen=True)
class Sequence:
    """A video with its ground truth.

    Attributes
    ----------
    frames : Video
        N frames, (H, W, 3) or (H, W), uint8.
    boxes : ndarray, float64, (N, 4)
        x, y, w, h: the exact bounds of the target's outline in the middle of the exposure, hidden parts too, not clipped.
    visible : ndarray, bool, (N,)
        Whether anything of the target may be seen: it has not vanished, is not out of the picture, and not all behind the post.
    covered : ndarray, float64, (N,)
        What share of the box's width is behind the post.
    """

    frames: Video
    boxes: np.ndarray
    visible: np.ndarray
    covered: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


def sequence(scene: Scene) -> Sequence:
    """The video of a scene: the same bytes for the same scene, and cheap until its frames are asked for.

    Raises
    ------
    VideoError
        If scikit-image and its pictures are missing.
    """
    target_rng, video_rng, *others = np.random.default_rng(scene.seed).spawn(2 + scene.distractors)
    texture, outline = _cut(*TARGETS[scene.target], scene.target_size * scene.size[0] * (1 + scene.scale))
    target = Layer(texture, outline, _motion(scene, outline, target_rng))
    layers = [_look_alike(scene, target, rng) for rng in others] + [target]
    boxes = target.boxes()
    ends, (height, width) = boxes[:, :2] + boxes[:, 2:], scene.size
    visible = (boxes[:, :2] < (width, height)).all(axis=1) & (ends > 0).all(axis=1)
    visible &= ~_vanished(scene, np.arange(scene.frames))
    covered = np.zeros(scene.frames)
    if scene.occlusion:
        layers.append(_post(scene, scene.occlusion * np.ptp(outline[:, 0]) / (1 + scene.scale)))
        left, _, breadth, _ = layers[-1].boxes().T
        behind = np.minimum(left + breadth, ends[:, 0]) - np.maximum(left, boxes[:, 0])
        covered = np.maximum(behind, 0) / (ends - boxes[:, :2])[:, 0]  # not the width, which rounding would keep from a whole one
    return Sequence(Video(scene, layers, target, video_rng), boxes, visible & (covered < 1), covered)


def read(name: str) -> np.ndarray:
    """A picture (H, W, 3), B, G, R, uint8, of scikit-image's wheel.

    Raises
    ------
    VideoError
        If it is not there.
    """
    package = find_spec("skimage")  # found, not imported: that would take longer than all the drawing
    picture = package and cv2.imread(str(Path(package.origin).parent / "data" / name))
    if picture is None:
        raise VideoError(f"synthetic videos are made of pictures that come with scikit-image; {name} is missing: pip install cfvgg[report]")
    return picture


def _bounds(outline: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Boxes (M, 4), x, y, w, h, around the polygon (K, 2) under each affine map (M, 2, 3)."""
    corners = outline @ motion[:, :, :2].transpose(0, 2, 1) + motion[:, None, :, 2]
    low, high = corners.min(axis=1), corners.max(axis=1)
    return np.hstack([low, high - low])


def _cover(picture: np.ndarray, size: tuple[int, int], times: float) -> np.ndarray:
    """The picture scaled to just cover `times` the `size` (height, width)."""
    factor = times * max(size[0] / picture.shape[0], size[1] / picture.shape[1])
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def _cut(name: str, outline: np.ndarray, height: float) -> tuple[np.ndarray, np.ndarray]:
    """The texture and outline of a `Layer`: what `outline` (K, 2) encloses in a picture, `height` pixels high."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    factor = height / (high[1] - low[1])
    width, height = (int(np.ceil(side)) + 4 for side in (high - low) * factor)
    outline = (outline - (low + high) / 2) * factor
    picture = read(name)
    if factor < 1:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.5 / factor)
    place = np.array([[factor, 0, 0], [0, factor, 0]])
    place[:, 2] = np.array([width, height]) / 2 - 0.5 - factor * ((low + high) / 2 - 0.5)
    colour = cv2.warpAffine(picture, place, (width, height), borderMode=cv2.BORDER_REPLICATE)
    fine = np.zeros((8 * height, 8 * width), np.uint8)
    corners = 8 * (outline + np.array([width, height]) / 2) - 0.5
    cv2.fillPoly(fine, [np.rint(corners * 16).astype(np.int32)], 255, shift=4)
    coverage = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)[:, :, None] / np.float32(255)
    return np.dstack([colour * coverage, coverage]), outline


def _motion(scene: Scene, outline: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Affine maps (N, 2, 3) of a smooth way through the picture, with bursts of speed, turning and growing."""
    time, size = np.arange(scene.frames), np.array(scene.size[::-1])
    burst = np.maximum(_wave(rng, time, BURST), 0) ** 4
    clock = np.cumsum(scene.motion * (1 + 2 * burst))
    swing = np.stack([_wave(rng, clock, LAP), _wave(rng, clock, 0.7 * LAP)], axis=1)
    zoom = (1 + scene.scale) ** (_wave(rng, time, ZOOM) - 1)  # the outline has the largest size
    angle = np.deg2rad(scene.rotation) * _wave(rng, time, TURN)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = size / 2 + scene.reach * swing * (size - np.ptp(outline, axis=0)) / 2
    return np.dstack([(zoom * turn).transpose(2, 0, 1), centre[:, :, None]])


def _look_alike(scene: Scene, target: Layer, rng: np.random.Generator) -> Layer:
    """A mirrored, tinted copy of the target on a way of its own."""
    texture = np.ascontiguousarray(target.texture[:, ::-1]) * np.append(rng.uniform(0.65, 1, 3), 1).astype(np.float32)
    outline = target.outline * (-1, 1)
    return Layer(texture, outline, _motion(scene, outline, rng))


def _post(scene: Scene, width: float) -> Layer:
    """A wooden post, `width` pixels wide, that starts outside and passes through the picture to and fro, with pauses."""
    name, outline = WOOD
    texture, outline = _cut(name, outline, scene.size[0])
    share = np.clip(1.5 - 2 * np.abs((np.arange(scene.frames) / PASSAGE) % 2 - 1), 0, 1)
    motion = np.zeros((scene.frames, 2, 3))
    motion[:, 0, 0], motion[:, 1, 1] = width / np.ptp(outline[:, 0]), 1
    motion[:, :, 2] = np.stack([share * (scene.size[1] + 2 * width) - width, np.full(scene.frames, scene.size[0] / 2)], axis=1)
    return Layer(texture, outline, motion)


def _wave(rng: np.random.Generator, time: np.ndarray, period: float) -> np.ndarray:
    """A sine of `time` from a random phase."""
    return np.sin(TAU * (time / period + rng.random()))


def _vanished(scene: Scene, index: int | np.ndarray) -> bool | np.ndarray:
    first, end = scene.vanish or (0, 0)
    return (first <= index) & (index < end)
