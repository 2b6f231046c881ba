import os

import numpy as np
import pytest

from trackers import video, window
from trackers.errors import VideoError
from trackers.opencv import cv2


def frames(count: int, shape: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """Smooth noise, which survives lossy coding."""
    rng = np.random.default_rng(0)
    return [cv2.resize(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8), shape[::-1]) for _ in range(count)]


def write_video(path, pictures, fps=25.0):
    with video.VideoWriter(path, fps) as writer:
        for picture in pictures:
            writer.write(picture)


def write_pictures(folder, names, pictures):
    folder.mkdir(exist_ok=True)
    for name, picture in zip(names, pictures, strict=True):
        assert cv2.imwrite(str(folder / name), picture)


@pytest.mark.parametrize("suffix", video.VIDEOS)
def test_a_video_comes_back_as_it_was_written(tmp_path, suffix):
    pictures = frames(7)
    write_video(tmp_path / f"a{suffix}", pictures, fps=12.5)
    source = video.open_source(tmp_path / f"a{suffix}")
    assert source.length == 7
    assert source.fps == pytest.approx(12.5)
    for _ in range(2):  # every iteration begins anew
        read = list(source)
        assert len(read) == 7
        assert all(np.abs(a.astype(int) - b).mean() < 6 for a, b in zip(read, pictures, strict=True))
    assert os.listdir(tmp_path) == [f"a{suffix}"]


def test_pictures_come_in_natural_order(tmp_path):
    names = ["img2.png", "img10.png", "img1.png", "b1.png"]
    pictures = frames(4)
    write_pictures(tmp_path / "p", names, pictures)
    (tmp_path / "p" / "notes.txt").write_text("not a picture")
    for where in (tmp_path / "p", tmp_path / "p" / "*"):
        source = video.open_source(str(where))
        assert source.length == 4
        for read, i in zip(source, (3, 2, 0, 1), strict=True):
            np.testing.assert_array_equal(read, pictures[i])
    (single,) = video.open_source(tmp_path / "p" / "img10.png")
    np.testing.assert_array_equal(single, pictures[1])
    assert video.open_source(str(tmp_path / "p" / "img?.png")).length == 2


def test_grey_and_deep_pictures_become_bgr_uint8(tmp_path):
    write_pictures(tmp_path, ["1.png", "2.png"], [np.full((5, 6), 77, np.uint8), np.full((5, 6, 3), 77 * 257, np.uint16)])
    for read in video.open_source(tmp_path):
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, np.full((5, 6, 3), 77))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, "no file or folder"),
        ("text.mp4", b"hello", "not a video"),
        ("empty.avi", b"", "not a video"),
        ("nosuffix", b"\0" * 5000, "not a video"),
        ("*.png", None, "no picture"),
    ],
)
def test_what_is_no_source(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=message):
        video.open_source(str(tmp_path / name))


def test_a_folder_without_pictures_names_its_folders(tmp_path):
    (tmp_path / "img").mkdir()
    with pytest.raises(VideoError, match="no picture.*folders: img"):
        video.open_source(tmp_path)


def test_a_camera_that_is_not_there():
    with pytest.raises(VideoError, match="camera 97"):
        video.open_source("97")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_broken_picture_is_named_after_the_good_ones_were_read(tmp_path, suffix, share):
    names = [f"{i}{suffix}" for i in range(3)]
    write_pictures(tmp_path, names, frames(3))
    broken = tmp_path / names[1]
    content = broken.read_bytes()
    broken.write_bytes(content[: int(len(content) * share)])
    reading = iter(video.open_source(tmp_path))
    assert next(reading).shape == (48, 64, 3)
    with pytest.raises(VideoError, match=f"1{suffix} is {'not a whole picture' if share else 'empty'}"):
        next(reading)


def test_a_jpeg_with_a_thumbnail_is_checked_by_its_own_end(tmp_path):
    ok, inner = cv2.imencode(".jpg", frames(1, (8, 8))[0])
    assert ok
    thumbnail = inner.tobytes()
    write_pictures(tmp_path, ["a.jpg"], frames(1))
    path = tmp_path / "a.jpg"
    content = path.read_bytes()
    content = content[:2] + b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail + content[2:]
    path.write_bytes(content + b"trailing")
    assert len(list(video.open_source(tmp_path))) == 1
    path.write_bytes(content[:-40])
    with pytest.raises(VideoError, match="a.jpg is not a whole picture"):
        list(video.open_source(tmp_path))


def test_a_video_that_breaks_off_gives_its_frames_first(tmp_path):
    path = tmp_path / "a.avi"
    write_video(path, frames(60))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    read = []
    with pytest.raises(VideoError, match="breaks off"):
        for frame in video.open_source(path):
            read.append(frame)
    assert 10 < len(read) < 60


@pytest.mark.parametrize(
    ("name", "message"), [("a.gif", "ends in"), ("a", "ends in"), ("none/a.mp4", "no folder"), ("folder.mp4", "not a file")]
)
def test_outputs_that_cannot_be_written_are_refused_at_once(tmp_path, name, message):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(VideoError, match=message):
        video.VideoWriter(tmp_path / name)
    assert os.listdir(tmp_path) == ["folder.mp4"]


def test_no_permission_is_a_video_error(tmp_path, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    with pytest.raises(VideoError, match="cannot write .*a.mp4: Permission denied"):
        video.VideoWriter(tmp_path / "a.mp4")


def test_a_video_has_its_name_only_when_it_is_finished(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("the old one")
    with pytest.raises(KeyboardInterrupt), video.VideoWriter(path) as writer:
        for picture in frames(3):
            writer.write(picture)
            assert path.read_text() == "the old one"
        raise KeyboardInterrupt
    assert len(list(video.open_source(path))) == 3
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_a_video_without_frames_leaves_nothing(tmp_path):
    with video.VideoWriter(tmp_path / "a.mp4"):
        pass
    assert os.listdir(tmp_path) == []


def test_frames_of_two_sizes_do_not_make_a_video(tmp_path):
    with pytest.raises(VideoError, match=r"\(48, 60, 3\) after .*\(48, 64, 3\)"):
        write_video(tmp_path / "a.mp4", frames(1) + frames(1, (48, 60)))


def test_boxes_are_written_with_four_decimals(tmp_path):
    path = tmp_path / "boxes.txt"
    video.write_boxes(path, [(1, 2, 3, 4), np.array([-0.5, 1 / 3, 1e3, 2])])
    assert path.read_text() == "1.0000,2.0000,3.0000,4.0000\n-0.5000,0.3333,1000.0000,2.0000\n"
    assert os.listdir(tmp_path) == ["boxes.txt"]
    with pytest.raises(VideoError, match="cannot write"):
        video.write_boxes(tmp_path / "none" / "boxes.txt", [])


def test_draw_marks_the_border_of_the_box_on_a_copy():
    frame = np.zeros((120, 160, 3), np.uint8)
    found = video.draw(frame, (40, 30, 50, 60))
    assert not frame.any()
    rows, columns = np.nonzero(found.any(axis=2))
    # the outermost pixels of the box are 40 .. 89 and 30 .. 89; the line and its antialiasing are a pixel wide on both sides
    assert abs(columns.min() - 40) <= 1
    assert abs(columns.max() - 89) <= 1
    assert abs(rows.min() - 30) <= 1
    assert abs(rows.max() - 89) <= 1
    assert not found[40:80, 50:80].any()
    assert (found[60, 40] != video.draw(frame, (40, 30, 50, 60), ok=False)[60, 40]).any()


@pytest.mark.parametrize(
    "box", [(-5000, -5000, 20, 20), (1e12, 10, 5, 5), (-1e9, -1e9, 2e9, 2e9), (150, 2, 40, 20), (5.5, 5.5, 1, 1), (0, 118, 10, 2)]
)
@pytest.mark.parametrize("shape", [(120, 160), (5, 7)])
def test_draw_takes_any_box_and_keeps_the_text_inside(box, shape):
    frame = np.zeros((*shape, 3), np.uint8)
    drawn = video.draw(frame, box, text="0.42")
    assert drawn.shape == frame.shape
    assert drawn.any()


def test_there_is_no_window_without_a_display(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(VideoError, match="no display"):
        window.check_display()


def test_a_display_that_does_not_answer(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":9876")
    with pytest.raises(VideoError, match="cannot open a window"):
        window.check_display()
