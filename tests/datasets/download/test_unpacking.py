"""Archives that are well, damaged, and made to do harm."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dermseg.datasets.unpacking import find_damage, unpack
from dermseg.errors import DownloadError

MakeZip = Callable[..., Path]


@pytest.fixture
def make_zip(tmp_path: Path) -> MakeZip:
    """Make an archive from (name or ZipInfo, content)."""

    def make(*members: tuple[str | zipfile.ZipInfo, bytes], compress: bool = False) -> Path:
        path = tmp_path / "archive.zip"
        method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", method) as file:
            for name, content in members:
                file.writestr(name, content)
        return path

    return make


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def named(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder")
    # Past what ZipInfo makes of names.
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize("top", ["", "Images/", "Whatever it is called/"])
def test_the_one_folder_around_everything_is_left_out(
    make_zip: MakeZip, tmp_path: Path, top: str
) -> None:
    archive = make_zip((f"{top}a.jpg", b"A"), (f"{top}b.jpg", b"B"), (f"{top}more/c.txt", b"C"))
    unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"a.jpg": b"A", "b.jpg": b"B", "more/c.txt": b"C"}


def test_what_systems_add_is_left_out(make_zip: MakeZip, tmp_path: Path) -> None:
    archive = make_zip(
        *[("Masks/", b""), ("Masks/a.png", b"A"), ("__MACOSX/Masks/._a.png", b"junk")],
        *[("Masks/.DS_Store", b"junk"), ("Masks/Thumbs.db", b"junk"), ("Masks/._b.png", b"junk")],
    )
    unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"a.png": b"A"}


@pytest.mark.parametrize(
    ("name", "mode", "problem"),
    [
        ("/etc/evil", 0, "absolute path"),
        ("C:evil", 0, "a drive"),
        ("C:/evil", 0, "a drive"),
        ("..\\evil", 0, "backslash"),
        ("../evil", 0, "leads out of the folder"),
        ("a/../../evil", 0, "leads out of the folder"),
        ("link", stat.S_IFLNK | 0o777, "is a link"),
        ("pipe", stat.S_IFIFO | 0o644, "is a device or a pipe"),
        ("device", stat.S_IFBLK | 0o644, "is a device or a pipe"),
        ("a\x00b", 0, "no file name"),
        ("a\x1b[2Jb", 0, "no file name"),
        ("./", 0, "no file name"),
        ("sound.jpg", 0, "is there twice"),
        ("SOUND.jpg", 0, "is there twice"),
        ("./sound.jpg", 0, "is there twice"),
        ("sound.jpg/below", 0, "is below a file"),
        ("sound.jpg/", 0, "is below a file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_do_harm_are_named_and_nothing_is_unpacked(
    make_zip: MakeZip, tmp_path: Path, name: str, mode: int, problem: str
) -> None:
    archive = make_zip(("sound.jpg", b"A"), (named(name, mode), b"evil"))
    with pytest.raises(DownloadError, match="nothing was unpacked") as caught:
        unpack(archive, tmp_path / "out")
    assert problem in str(caught.value)
    assert repr(name) in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["archive.zip"]


def test_a_file_where_a_folder_was_is_refused(make_zip: MakeZip, tmp_path: Path) -> None:
    archive = make_zip(("a/b.jpg", b"A"), ("a", b"evil"))
    with pytest.raises(DownloadError, match="'a' is there twice"):
        unpack(archive, tmp_path / "out")


def test_an_encrypted_member_is_refused(make_zip: MakeZip, tmp_path: Path) -> None:
    archive = make_zip(("a.jpg", b"A"))
    content = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    archive.write_bytes(content)
    with pytest.raises(DownloadError, match=r"'a\.jpg' is encrypted"):
        unpack(archive, tmp_path / "out")


def test_a_bomb_is_refused_and_what_packs_well_is_not(make_zip: MakeZip, tmp_path: Path) -> None:
    unpack(make_zip(("black.bmp", bytes(3_000_000)), compress=True), tmp_path / "out")
    bomb = make_zip(("bomb", bytes(150_000_000)), compress=True)
    with pytest.raises(DownloadError, match="claim to hold 150,000,000"):
        unpack(bomb, tmp_path / "bomb")
    assert not (tmp_path / "bomb").exists()


def test_a_member_that_lies_about_its_size_is_damaged(make_zip: MakeZip, tmp_path: Path) -> None:
    archive = make_zip(("a.jpg", b"A" * 1000))
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 24 :][:4] = struct.pack("<I", 10)
    where = content.index(b"PK\x01\x02") + 24
    content[where : where + 4] = struct.pack("<I", 10)
    archive.write_bytes(content)
    with pytest.raises(DownloadError, match="the archive is damaged"):
        unpack(archive, tmp_path / "out")


def test_damage_is_found_without_unpacking(make_zip: MakeZip, tmp_path: Path) -> None:
    archive = make_zip(("a.jpg", b"A" * 1000), ("b.jpg", b"B" * 1000))
    assert find_damage(archive) is None
    whole = archive.read_bytes()
    archive.write_bytes(whole[:500] + b"!" + whole[501:])
    assert find_damage(archive) == "its member a.jpg is damaged"
    with pytest.raises(DownloadError, match="the archive is damaged"):
        unpack(archive, tmp_path / "out")
    for content in (whole[:-30], b"<html>Please log in</html>", b""):
        archive.write_bytes(content)
        assert "no whole ZIP archive" in (find_damage(archive) or "")
        with pytest.raises(DownloadError, match="the archive is damaged"):
            unpack(archive, tmp_path / "other")
