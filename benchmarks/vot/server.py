"""A tracker as TraX serves it: pictures come in by their paths, boxes go out. Needs ``pip install vot-trax``."""

from pathlib import Path

import numpy as np
import trax

from benchmarks.peers import Spec, make
from trackers.errors import TrackerError, VideoError
from trackers.video import read_picture


def serve(spec: Spec) -> None:
    """Answer a TraX client over stdin and stdout, or the socket that it names in the environment, until it quits.

    Raises
    ------
    TrackerError
        If there is no such tracker, it fails (the client is told), or the client is gone.
    """
    make(spec)  # what cannot be made is to be known at once
    try:
        server = trax.Server([trax.Region.RECTANGLE], [trax.Image.PATH], ["color"], spec.label)
    except trax.TraxException as error:
        raise VideoError(f"no TraX client: {error}") from error
    try:
        while (request := server.wait()).type in ("initialize", "frame"):
            image = read_picture(Path(request.image["color"].path()))
            if request.type == "initialize":
                tracker, box = make(spec), request.objects[0][0].bounds()
                tracker.init(image, box)
            else:
                box = tracker.update(image)[1]
            server.status([(trax.Rectangle.create(*np.asarray(box, float)), {})])
    except trax.TraxException as error:
        raise VideoError(f"the TraX client is gone: {error}") from error
    except TrackerError as error:
        server.quit(str(error))
        raise
    server.quit()
