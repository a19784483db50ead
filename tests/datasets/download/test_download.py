"""Whole datasets, from servers and disks that fail."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dermseg.datasets import DATASETS, open_dataset
from dermseg.datasets.archives import DOWNLOADS, Download, find_download
from dermseg.datasets.download import Patience, Silence, download_dataset
from dermseg.errors import DownloadError, OutputError, UsageError

from .conftest import Fault, Publish, Site, zip_bytes

HASTE = Patience(read_timeout_s=0.5, num_attempts=2, first_wait_s=0.01)
every_download = pytest.mark.parametrize("name", DOWNLOADS)


class Lines(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def tree(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "download.json"
    }


@every_download
def test_the_table_states_what_the_datasets_are_made_of(name: str) -> None:
    download = DOWNLOADS[name]
    dataset = DATASETS[download.dataset]
    targets = {archive.target for archive in download.archives}
    # Some projects rename the folder of ISIC 2016; no archive has their name.
    assert set(dataset.markers()) - {"Training_Data"} <= targets
    assert download.address.startswith("https://")
    assert set(download.parts) in ({"train", "validation", "test"}, {"train", "test"}, set())
    assert len(targets) == len({archive.name for archive in download.archives})
    for archive in download.archives:
        assert archive.target == archive.name.removesuffix(".zip")
        is_of_attributes = "Task2" in archive.name or "Part2" in archive.name
        assert is_of_attributes or archive.digest is not None
        if archive.digest:
            algorithm, _, value = archive.digest.partition(":")
            assert len(value) == {"md5": 32, "sha256": 64}[algorithm]
            assert set(value) <= set("0123456789abcdef")


@every_download
def test_a_download_is_the_dataset(name: str, publish: Publish, tmp_path: Path) -> None:
    report = download_dataset(publish(name), tmp_path / "data", patience=HASTE)
    dataset = open_dataset(tmp_path / "data")
    assert dataset.name == report.dataset == DOWNLOADS[name].dataset
    num = sum(archive.holds == "images" for archive in DOWNLOADS[name].archives) * 3
    has_attributes = name in ("isic2017_part2", "isic2018_task2")
    num_masks = 0 if has_attributes else num
    assert (report.num_images, report.num_masks, report.num_orphans) == (num, num_masks, 0)
    assert report.num_with_attributes == (num if has_attributes else 0)
    assert dataset.gaps == ()
    assert report.is_new
    here = {path.name for path in (tmp_path / "data").iterdir()}
    assert here == {archive.target for archive in DOWNLOADS[name].archives} | {"download.json"}
    assert all(
        sample.metadata["diagnosis"]
        for sample in dataset.samples
        if name in ("ham10000", "isic2017")
    )


def test_what_is_complete_is_not_asked_for_again(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2017")
    first = download_dataset(download, tmp_path, patience=HASTE)
    site.ranges.clear()
    again = download_dataset(download, tmp_path, patience=HASTE)
    assert site.ranges == []
    assert not again.is_new
    assert replace(again, is_new=True) == first


def test_parts_come_one_by_one(site: Site, publish: Publish, tmp_path: Path) -> None:
    download = publish("isic2017")
    report = download_dataset(download, tmp_path, parts=["validation"], patience=HASTE)
    assert report.parts == {"validation": 3}
    assert len(site.ranges) == 3
    report = download_dataset(download, tmp_path, parts=["validation", "test"], patience=HASTE)
    assert report.parts == {"validation": 3, "test": 3}
    assert len(site.ranges) == 6
    assert any("test: 3 images, its makers say 600" in warning for warning in report.warnings)
    assert not any(warning.startswith("train") for warning in report.warnings)


@pytest.mark.parametrize(
    ("lesions", "attributes", "task"),
    [("isic2017", "isic2017_part2", "Part2"), ("isic2018", "isic2018_task2", "Task2")],
)
def test_archives_of_two_tasks_share_their_images(
    lesions: str, attributes: str, task: str, site: Site, publish: Publish, tmp_path: Path
) -> None:
    download_dataset(publish(lesions), tmp_path, patience=HASTE)
    site.ranges.clear()
    report = download_dataset(publish(attributes), tmp_path, patience=HASTE)
    assert all(task in name for name, _ in site.ranges)
    assert len(site.ranges) == 3
    assert report.num_masks == report.num_with_attributes == report.num_images == 9


def test_a_mirror_has_the_archives_under_their_names(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = replace(publish("ham10000"), address="http://127.0.0.1:1")
    report = download_dataset(download, tmp_path, url=f"{site.address}/", patience=HASTE)
    assert report.num_images == 6
    assert {name for name, _ in site.ranges} == {archive.name for archive in download.archives}


def test_a_damaged_archive_is_downloaded_once_more_from_the_start(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    name = download.archives[0].name
    site.fail(name, Fault(corrupts=True))
    lines = Lines()
    download_dataset(download, tmp_path, patience=HASTE, progress=lines)
    assert [wanted for asked, wanted in site.ranges if asked == name] == [None, None]
    assert any("its checksum is sha256:" in line and "once more" in line for line in lines.lines)


def test_an_archive_that_stays_damaged_is_refused_and_removed(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    site.fail(download.archives[0].name, *[Fault(corrupts=True)] * 2)
    with pytest.raises(DownloadError, match=r"its checksum is .*, expected .*, twice") as caught:
        download_dataset(download, tmp_path, patience=HASTE)
    assert "\n" not in str(caught.value)
    assert tree(tmp_path) == {}


def test_without_a_published_checksum_the_first_download_is_the_measure(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2018_task2")
    truth = next(archive for archive in download.archives if "Task2_Test" in archive.name)
    site.fail(truth.name, Fault(corrupts=True))
    report = download_dataset(download, tmp_path, parts=["test"], patience=HASTE)
    # What is no whole archive is not recorded.
    assert [asked for asked, _ in site.ranges].count(truth.name) == 2
    assert any("no checksum is published" in warning for warning in report.warnings)
    entry = json.loads((tmp_path / "download.json").read_text())["archives"][truth.name]
    assert entry["digest"].startswith("sha256:")
    assert not entry["is_published"]
    assert entry["num_bytes"] == len(site.files[truth.name])

    for path in (tmp_path / truth.target).iterdir():
        path.unlink()
    (tmp_path / truth.target).rmdir()
    site.files[truth.name] = zip_bytes({"other.png": b"other"})
    with pytest.raises(DownloadError, match=r"that the first download had.*from download\.json"):
        download_dataset(download, tmp_path, parts=["test"], patience=HASTE)
    assert not (tmp_path / truth.target).exists()


def test_nothing_is_in_place_before_everything_is_unpacked(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    site.fail(download.archives[-1].name, Fault(status=404))
    with pytest.raises(DownloadError, match="404"):
        download_dataset(download, tmp_path, patience=HASTE)
    assert {path.name for path in tmp_path.iterdir()} <= {".unpacking", "archives", "download.json"}
    site.ranges.clear()
    download_dataset(download, tmp_path, patience=HASTE)
    assert len(site.ranges) == 1
    assert open_dataset(tmp_path).orphans == ()


def test_a_hostile_archive_leaves_nothing_outside_or_in_place(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    name = download.archives[0].name
    site.files[name] = zip_bytes({"../../evil.jpg": b"evil"})
    archives = (replace(download.archives[0], digest=None), *download.archives[1:])
    with pytest.raises(DownloadError, match=r"'\.\./\.\./evil\.jpg' leads out of the folder"):
        download_dataset(replace(download, archives=archives), tmp_path / "data", patience=HASTE)
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path / "data" / download.archives[0].target).exists()


def test_archives_are_kept_or_taken_from_where_they_lie(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    download_dataset(download, tmp_path / "one", keep_archives=True, patience=HASTE)
    kept = tmp_path / "one" / "archives"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        archive.name: site.files[archive.name] for archive in download.archives
    }
    site.ranges.clear()
    (tmp_path / "two").mkdir()
    kept.rename(tmp_path / "two" / "archives")
    download_dataset(download, tmp_path / "two", patience=HASTE)
    assert site.ranges == []
    assert not (tmp_path / "two" / "archives").exists()


def test_a_wrong_archive_that_lies_there_is_named_and_left(
    publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    wrong = tmp_path / "archives" / download.archives[0].name
    wrong.parent.mkdir()
    wrong.write_bytes(b"wrong")
    with pytest.raises(DownloadError, match="Remove it to download it again"):
        download_dataset(download, tmp_path, patience=HASTE)
    assert wrong.read_bytes() == b"wrong"


def test_folders_of_someone_else_are_not_touched(publish: Publish, tmp_path: Path) -> None:
    download = publish("isic2016")
    own = tmp_path / download.archives[0].target
    own.mkdir()
    (own / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match="was not downloaded by this command"):
        download_dataset(download, tmp_path, patience=HASTE)
    assert tree(tmp_path) == {f"{own.name}/mine.jpg": b"mine"}


def test_a_downloaded_folder_that_lost_files_is_named(publish: Publish, tmp_path: Path) -> None:
    download = publish("isic2016")
    download_dataset(download, tmp_path, patience=HASTE)
    next((tmp_path / download.archives[0].target).iterdir()).unlink()
    with pytest.raises(UsageError, match=r"holds 2 files of 600 bytes .*remove it to download"):
        download_dataset(download, tmp_path, patience=HASTE)


def test_another_file_named_download_json_is_refused(publish: Publish, tmp_path: Path) -> None:
    (tmp_path / "download.json").write_text('{"mine": 1}')
    with pytest.raises(UsageError, match="not a record of downloads"):
        download_dataset(publish("isic2016"), tmp_path, patience=HASTE)


def test_too_little_space_is_said_before_the_first_byte(
    site: Site, publish: Publish, tmp_path: Path
) -> None:
    download = publish("isic2016")
    huge = replace(download.archives[1], num_bytes=10**18)
    archives = (download.archives[0], huge, *download.archives[2:])
    with pytest.raises(OutputError, match=r"2000000000\.0 GB are needed, and"):
        download_dataset(replace(download, archives=archives), tmp_path, patience=HASTE)
    assert site.ranges == []


def test_a_folder_that_cannot_be_written_is_named(publish: Publish, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError, match=r"file/data: Not a directory\. "):
        download_dataset(publish("isic2016"), tmp_path / "file" / "data", patience=HASTE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ph2", r"Ask for it at https://www\.fc\.up\.pt/addi/ph2%20database\.html"),
        ("folder", "there is nothing to download"),
        ("isic2019", "unknown dataset 'isic2019': expected one of isic2016, isic2017"),
    ],
)
def test_what_cannot_be_downloaded_is_said(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        find_download(name)
    with pytest.raises(UsageError, match=message):
        download_dataset(name, tmp_path / "data")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "part", "message"),
    [
        ("isic2016", "validation", "its parts: train, test"),
        ("ham10000", "train", "it has none, leave --part out"),
    ],
)
def test_a_part_that_is_not_there_is_refused(
    name: str, part: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        download_dataset(name, tmp_path / "data", parts=[part])


def test_an_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="begins with https:// or http://"):
        download_dataset("isic2016", tmp_path / "data", url="ftp://example.org")


def test_random_faults_end_in_the_same_dataset(
    site: Site, publish: Callable[..., Download], tmp_path: Path
) -> None:
    download = publish("isic2016", num=4, size=30_000)
    download_dataset(download, tmp_path / "sound", patience=HASTE)
    generator = random.Random(5)  # noqa: S311 -- the same faults each time
    for archive in download.archives:
        size = len(site.files[archive.name])
        site.fail(
            archive.name,
            Fault(num_bytes=generator.randrange(20_000, size)),
            generator.choice([Fault(status=503), Fault(ignores_range=True), Fault(range_start=7)]),
            Fault(num_bytes=generator.randrange(20_000, size), has_length=False),
        )
    download_dataset(download, tmp_path / "faulty", patience=replace(HASTE, num_attempts=5))
    assert tree(tmp_path / "faulty") == tree(tmp_path / "sound")
