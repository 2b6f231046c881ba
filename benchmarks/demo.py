"""What ``cfvgg demo`` runs: fECO on a synthetic video, its figures and pictures of it."""

import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

import trackers
from benchmarks.metrics import auc, overlap
from benchmarks.synthetic import Scene, sequence
from cfvgg.files import whole
from trackers.errors import VideoError
from trackers.opencv import cv2
from trackers.video import VideoWriter, draw, write_boxes

TRACKER = "fECO"
WORKS_ABOVE = 0.5  # mean overlap
TRUTH = (255, 255, 255)  # colour of the true box: B, G, R
SHEET_ROWS, SHEET_COLUMNS, SHEET_WIDTH, SHEET_GAP = 2, 3, 900, 4  # frames, pixels


def run(output: Path) -> int:
    """Track the target of the default scene, print how well that went, and write ``demo.mp4``, ``demo.png`` and ``boxes.txt``.

    Parameters
    ----------
    output : Path
        Folder for the files; made if it is not there.

    Returns
    -------
    int
        Exit code: 0, or 1 if the mean overlap is so low that something must be wrong.

    Raises
    ------
    TrackerError
        If scikit-image is missing (its pictures make the video), or a file cannot be written.
    """
    scene = Scene()
    video, tracker = sequence(scene), trackers.create(TRACKER)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VideoError(f"cannot write to {output}: {error}") from error
    shown = np.linspace(0, len(video) - 1, SHEET_ROWS * SHEET_COLUMNS).astype(int)
    boxes, seconds, sheet = [], [], []
    with VideoWriter(output / "demo.mp4") as writer:
        for number, frame in enumerate(tqdm(video.frames, unit=" frames", disable=None)):
            truth = video.boxes[number]
            start = time.perf_counter(), time.process_time()
            if number == 0:
                tracker.init(frame, truth)
                ok, box = True, truth
            else:
                ok, box = tracker.update(frame)
            seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
            boxes.append(box)
            annotated = _annotate(frame, box, truth, ok, f"{tracker.score:.2f}")
            writer.write(annotated)
            if number in shown:
                sheet.append(annotated)
    write_boxes(output / "boxes.txt", boxes)
    _write_sheet(output / "demo.png", sheet)
    overlaps, (wall, cpu) = overlap(boxes[1:], video.boxes[1:]), np.median(seconds[1:], axis=0)
    print(f"{TRACKER}, {scene.frames} frames of {scene.size[1]} x {scene.size[0]} pixels")
    print(f"mean overlap {overlaps.mean():.3f}, AUC {auc(overlaps):.3f}")
    print(f"{1 / wall:.0f} frames per second, {1000 * cpu:.1f} ms of CPU time per frame; first frame {1000 * seconds[0][1]:.0f} ms")
    print(f"written: {', '.join(str(output / name) for name in ('demo.mp4', 'demo.png', 'boxes.txt'))}")
    return 0 if overlaps.mean() > WORKS_ABOVE else 1


def _annotate(frame: np.ndarray, box: np.ndarray, truth: np.ndarray, ok: bool, text: str) -> np.ndarray:
    """A copy of the frame with the tracked box, and the true one as a thin line."""
    canvas = draw(frame, box, ok, text)
    corners = np.rint(16 * np.array([truth[:2], truth[:2] + truth[2:] - 1])).astype(int)
    cv2.rectangle(canvas, *corners.tolist(), TRUTH, 1, cv2.LINE_AA, 4)
    return canvas


def _write_sheet(path: Path, frames: list[np.ndarray]) -> None:
    """Write frames (H, W, 3), B, G, R, in rows as one small PNG."""
    from PIL import Image  # comes with scikit-image; OpenCV writes no palettes, without which the file is three times as large

    width = SHEET_WIDTH // SHEET_COLUMNS - SHEET_GAP
    height = round(width * frames[0].shape[0] / frames[0].shape[1])
    sheet = np.full((SHEET_ROWS * (height + SHEET_GAP), SHEET_COLUMNS * (width + SHEET_GAP), 3), 255, np.uint8)
    for place, frame in enumerate(frames):
        top, left = place // SHEET_COLUMNS * (height + SHEET_GAP), place % SHEET_COLUMNS * (width + SHEET_GAP)
        sheet[top : top + height, left : left + width] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)[:, :, ::-1]
    with whole(path) as file:
        Image.fromarray(sheet).quantize(method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
