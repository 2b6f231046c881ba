"""The ``cfvgg`` command. Every verb calls one function elsewhere, and imports it only when it runs.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 after Ctrl-C. Progress goes to stderr, results to stdout.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cfvgg import __version__
from cfvgg.errors import TrackerError

# Modules that may be missing, and what their error message lacks.
OPTIONAL = {
    "cv2": "",
    "joblib": ": pip install cfvgg[report]",
    "matplotlib": ": pip install cfvgg[report]",
    "onnx": ": pip install cfvgg[onnx]",
    "onnxscript": ": pip install cfvgg[onnx]",
    "skimage": ": pip install cfvgg[report]",
    "torch": ": pip install cfvgg[train]",
}


@dataclass(frozen=True)
class Verb:
    """A verb of the command: its arguments, and what it does."""

    summary: str
    example: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int | None]


def main(argv: list[str] | None = None) -> int:
    """Run the command with the given arguments (those of the process by default) and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    # What OpenCV, FFmpeg and Qt print would stand between the command's own lines.
    for variable, value in (("OPENCV_LOG_LEVEL", "OFF"), ("OPENCV_FFMPEG_LOGLEVEL", "-8"), ("QT_LOGGING_RULES", "default.warning=false")):
        os.environ.setdefault(variable, value)
    try:
        arguments = _parse(argv)
        code = VERBS[arguments.verb].run(arguments) or 0
        sys.stdout.flush()
        return code
    except TrackerError as error:
        print(f"cfvgg: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        if error.name not in OPTIONAL:
            raise
        print(f"cfvgg: {error}{OPTIONAL[error.name]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cfvgg: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone; keep Python from writing the rest at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("cfvgg", description="Track a target through a video with correlation filters and CF-VGG features.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, verb in VERBS.items():
        verb_parser = verbs.add_parser(
            name,
            help=verb.summary,
            description=verb.summary[0].upper() + verb.summary[1:] + ".",
            epilog=f"example: {verb.example}",
        )
        if name in argv[:1]:  # some verbs import torch to declare their arguments
            verb.add_arguments(verb_parser)
    return parser.parse_args(argv)


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        x, y, w, h = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not four numbers x,y,w,h") from None
    return x, y, w, h


def _at_least(minimum: int) -> Callable[[str], int]:
    def _number(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {minimum}")
        return int(text)

    return _number


def _track_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="video file, folder of pictures, 'glob*.jpg', or number of a camera")
    parser.add_argument(
        "--box",
        type=_box,
        metavar="x,y,w,h",
        help="the target in the first frame: top left corner (the first pixel is 0,0), width and height in pixels; "
        "write --box=-5,... for a negative x. Without it, draw the box with the mouse",
    )
    parser.add_argument("--tracker", default="fECO", metavar="NAME", help="fECO (default), fDeepSTRCF, fKCF, ECOHC, STRCF, KCF, MOSSE, ...")
    parser.add_argument("--weights", metavar="FILE", help=".safetensors or MatConvNet .mat of the network (default: those shipped)")
    parser.add_argument("--preset", metavar="NAME", help="published setting of the tracker, such as otb, vot or tc128 of fECO")
    parser.add_argument("--out", metavar="VIDEO", help="annotated video to write: .mp4, .avi, .mkv or .mov")
    parser.add_argument(
        "--boxes", metavar="FILE", help="text file to write, x,y,w,h a line as in --box; stdout if there is no other output"
    )
    parser.add_argument("--show", action="store_true", help="show the frames in a window; Esc or q ends")


def _track(arguments: argparse.Namespace) -> None:
    import trackers
    from trackers.run import track_source

    given = {"backbone": arguments.weights, "preset": arguments.preset}
    tracker = trackers.create(arguments.tracker, **{name: value for name, value in given.items() if value is not None})
    track_source(tracker, arguments.source, arguments.box, video=arguments.out, boxes=arguments.boxes, show=arguments.show)


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=Path("demo_output"), metavar="FOLDER", help="where to write (%(default)s)")


def _demo(arguments: argparse.Namespace) -> int:
    from benchmarks import demo

    return demo.run(arguments.output)


def _convert_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="weights: MatConvNet .mat or .safetensors")
    parser.add_argument("output", metavar="OUT", help=".safetensors to write, or .onnx (needs torch)")
    parser.add_argument(
        "--mean-size", type=_at_least(1), default=14, metavar="N", help="side of the mean picture that is kept (%(default)s)"
    )
    parser.add_argument("--side", type=_at_least(1), default=224, metavar="N", help="side of pictures for an .onnx (%(default)s)")


def _convert(arguments: argparse.Namespace) -> None:
    from cfvgg import mean_picture, weights

    loaded = weights.load(arguments.input)
    if Path(arguments.output).suffix == ".onnx":
        from distill.onnx_file import save_onnx

        save_onnx(loaded, arguments.output, arguments.side)
        return
    height, width = (min(side, arguments.mean_size) for side in loaded.mean.shape[1:])
    weights.save(replace(loaded, mean=mean_picture.resize(loaded.mean, height, width)), arguments.output)


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="weights: .safetensors or MatConvNet .mat (default: those shipped)")


def _info(arguments: argparse.Namespace) -> None:
    from cfvgg.describe import describe
    from cfvgg.weights import load

    print(describe(load(arguments.file)))


def _prune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="weights: .safetensors or MatConvNet .mat")
    parser.add_argument("output", metavar="OUT", help=".safetensors to write")
    parser.add_argument("--ratio", type=float, required=True, metavar="R", help="compression against VGG-M; in the paper 16, 32, 64, 96")
    parser.add_argument("--seed", type=_at_least(0), default=0, metavar="S", help="which filters are kept (%(default)s)")


def _prune(arguments: argparse.Namespace) -> None:
    from cfvgg.pruning import prune
    from cfvgg.weights import load, save

    save(prune(load(arguments.input), arguments.ratio, arguments.seed), arguments.output)


def _distill_arguments(parser: argparse.ArgumentParser) -> None:
    from distill import command

    command.add_arguments(parser)


def _distill(arguments: argparse.Namespace) -> int:
    from distill import command

    return command.run(arguments)


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    from benchmarks import command

    command.add_arguments(parser)


def _bench(arguments: argparse.Namespace) -> int | None:
    from benchmarks import command

    return command.run(arguments)


VERBS = {
    "track": Verb(
        "track a target through a video",
        "cfvgg track video.mp4 --box 205,151,17,50 --out tracked.mp4 --boxes boxes.txt",
        _track_arguments,
        _track,
    ),
    "demo": Verb(
        "track a generated sequence, print the overlap with its ground truth and write a video",
        "cfvgg demo --output demo_output",
        _demo_arguments,
        _demo,
    ),
    "convert": Verb("store weights as .safetensors or .onnx", "cfvgg convert CF_VGGM.mat cfvgg.safetensors", _convert_arguments, _convert),
    "info": Verb("say what a file of weights holds", "cfvgg info cfvgg.safetensors", _info_arguments, _info),
    "prune": Verb(
        "make a smaller network by keeping random filters",
        "cfvgg prune imagenet-vgg-m.mat pruned.safetensors --ratio 64 --seed 0",
        _prune_arguments,
        _prune,
    ),
    "distill": Verb(
        "train a small network after a larger one (needs torch)",
        "cfvgg distill --teacher CF_VGGM.mat --data pictures --out student.safetensors",
        _distill_arguments,
        _distill,
    ),
    "bench": Verb(
        "measure trackers: run them over data sets, report, compare, time them",
        "cfvgg bench run --dataset otb --root OTB --trackers fECO,opencv:CSRT --results results",
        _bench_arguments,
        _bench,
    ),
}
