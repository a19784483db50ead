"""A prediction speaks of files by storage and key: any storage with these methods will do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import pytest

from dermseg.errors import ImageError, OutputError, UsageError
from dermseg.images import encode_jpeg, read_image
from dermseg.prediction import OutputOptions, load_model, open_output, plan_jobs, predict_jobs
from dermseg.storage import Archive, Folder, Sink, StoredFile, open_location, open_sink

Disc = Callable[..., tuple[np.ndarray, np.ndarray]]


class Memory:
    """A bucket: flat keys, no folders, no paths."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def locate(self, key: str) -> str:
        return f"memory://{key}"

    def list_keys(self, *, recursive: bool = False) -> Iterator[str]:
        return iter(sorted(key for key in self.files if recursive or "/" not in key))

    def open(self, key: str) -> BinaryIO:
        try:
            return io.BytesIO(self.files[key])
        except KeyError as error:
            raise FileNotFoundError(2, "no such object") from error

    def exists(self, key: str) -> bool:
        return key in self.files

    def is_other(self, key: str, location: str) -> bool:
        return location != self.locate(key) and location.removeprefix("memory://") in self.files

    def prepare(self, folders: Iterable[str] = ()) -> None:
        pass

    def is_empty(self) -> bool:
        return not self.files

    def write(self, key: str, content: bytes | Iterator[bytes]) -> None:
        self.files[key] = content if isinstance(content, bytes) else b"".join(content)

    def append(self, key: str, start: Iterable[bytes] = ()) -> Growing:
        self.files[key] = b"".join(start)
        return Growing(self, key)

    def remove(self, key: str) -> None:
        self.files.pop(key, None)


class Growing:
    def __init__(self, memory: Memory, key: str) -> None:
        self.memory, self.key = memory, key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def add(self, line: bytes) -> None:
        self.memory.files[self.key] += line


@pytest.mark.parametrize("masks", ["png", "coco"])
def test_another_storage_gets_the_bytes_that_a_folder_gets(
    dark_package: Path, tmp_path: Path, disc: Disc, masks: str
) -> None:
    photos, bucket = tmp_path / "photos", Memory()
    for key, radius in (("a.jpg", 30), ("left/b.jpg", 20)):
        content = encode_jpeg(disc((120, 160), centre=(80, 60), radius=radius)[0])
        bucket.files[key] = content
        (photos / key).parent.mkdir(exist_ok=True, parents=True)
        (photos / key).write_bytes(content)
    predictor = load_model(dark_package, runtime="onnx")
    options = OutputOptions(masks=masks, probability=True)
    results, folder = Memory(), tmp_path / "out"
    for source, sink in ((bucket, results), (photos, folder)):
        for existing, num_done in (("refuse", 2), ("skip", 0)):
            jobs = plan_jobs([source], recursive=True)
            todo, kept = open_output(sink, jobs, predictor, options, existing=existing)  # type: ignore[arg-type]
            assert len(todo) == num_done
            done = list(predict_jobs(predictor, todo, sink, options, kept=kept))
            assert len(done) == num_done
    written = {file.key: file.read_bytes() for file in stored(Folder(folder))}
    assert written.keys() == results.files.keys()
    table = results.files.pop("predictions.csv").decode()
    assert "memory://left/b.jpg" in table
    del written["predictions.csv"]
    assert written == results.files


def stored(folder: Folder) -> list[StoredFile]:
    return [StoredFile(folder, key) for key in folder.list_keys(recursive=True)]


def test_an_image_keeps_its_id_wherever_its_folder_is(tmp_path: Path) -> None:
    for root in (tmp_path / "one", tmp_path / "other"):
        (root / "left").mkdir(parents=True)
        for name in ("b.tar.jpg", "left/a.png", ".hidden.jpg"):
            (root / name).touch()
        assert [str(file.id) for file in stored(Folder(root))] == ["b.tar", "left/a"]


def test_a_location_is_a_folder_a_file_or_a_storage(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert open_location(tmp_path) == Folder(tmp_path)
    assert open_location(str(tmp_path / "a.jpg")) == StoredFile(Folder(tmp_path), "a.jpg")
    memory = Memory()
    assert isinstance(memory, Sink)
    assert open_location(memory) is open_sink(memory) is memory
    with pytest.raises(UsageError, match="no such file or folder"):
        open_location(tmp_path / "b.jpg")
    for open_it in (open_location, open_sink):
        with pytest.raises(UsageError, match="s3://bucket/photos is no local path"):
            open_it("s3://bucket/photos")


def test_what_is_written_is_whole_or_not_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new")
    folder.prepare(["deep"])
    folder.write("deep/a", iter([b"one ", b"two"]))

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OutputError("the rest is missing")

    with pytest.raises(OutputError, match="the rest is missing"):
        folder.write("deep/a", broken())
    assert StoredFile(folder, "deep/a").read_bytes() == b"one two"
    assert [file.name for file in (tmp_path / "new" / "deep").iterdir()] == ["a"]
    folder.remove("deep/a")
    folder.remove("deep/a")
    assert not folder.exists("deep/a")
    with pytest.raises(OutputError, match="cannot be removed"):
        folder.remove("deep")


def test_an_image_that_a_storage_cannot_give_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a\.jpg: there is no such file"):
        read_image(StoredFile(Folder(tmp_path), "a.jpg"))
    with pytest.raises(ImageError, match=r"memory://a\.jpg: there is no such file"):
        read_image(StoredFile(Memory(), "a.jpg"))


def test_an_archive_lists_what_is_not_hidden_and_unpacks_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as writing:
        for key in ("b/c.png", "a.png", ".hidden.png", "__MACOSX/a.png", "b/.d/e.png"):
            writing.writestr(key, key)
    archive = Archive(tmp_path / "a.zip")
    assert list(archive.list_keys()) == ["a.png"]
    assert list(archive.list_keys(recursive=True)) == ["a.png", "b/c.png"]
    assert StoredFile(archive, "b/c.png").read_bytes() == b"b/c.png"
    assert str(StoredFile(archive, "b/c.png")) == str(tmp_path / "a.zip" / "b" / "c.png")
    with pytest.raises(FileNotFoundError):
        archive.open("c.png")


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(UsageError, match="is a file"):
        Folder(tmp_path / "a").prepare()
