"""A server on this machine that does what servers do when things go wrong."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dermseg.datasets import Isic2018
from dermseg.datasets.archives import DOWNLOADS, Archive, Download


@dataclass
class Fault:
    """What goes wrong with one answer.

    Attributes:
        status: Answer with this status instead.
        num_bytes: Stop the body after so many bytes ...
        stalls: ... and keep the connection open, instead of closing it.
        ignores_range: Send the whole file, whatever was asked for.
        corrupts: Change the body's first byte.
        location: Redirect to this path.
        has_length: Say how long the body is.
        range_start: Begin the range there, whatever was asked for.
    """

    status: int | None = None
    num_bytes: int | None = None
    stalls: bool = False
    ignores_range: bool = False
    corrupts: bool = False
    location: str | None = None
    has_length: bool = True
    range_start: int | None = None


@dataclass
class Site:
    """The server's files, what goes wrong next with each, and what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    ranges: list[tuple[str, str | None]] = field(default_factory=list)
    bytes_per_s: float | None = None
    num_served: int = 0
    on_served: Callable[[int], None] = lambda num: None
    closing: threading.Event = field(default_factory=threading.Event)

    def fail(self, name: str, *faults: Fault) -> None:
        """Let the next answers for a file go wrong, one after the other."""
        self.faults.setdefault(name, deque()).extend(faults)


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        wanted = self.headers.get("Range")
        faults = self.site.faults.get(name)
        # Asking for the size alone is neither counted nor goes wrong.
        is_question = wanted == "bytes=0-0"
        fault = faults.popleft() if faults and not is_question else Fault()
        if not is_question:
            self.site.ranges.append((name, wanted))
        if fault.location is not None:
            self.send_response(302)
            self.send_header("Location", fault.location)
            self.end_headers()
            return
        content = self.site.files.get(name)
        if fault.status is not None or content is None:
            self.send_error(fault.status or 404)
            return
        self.answer(content, wanted, fault)

    def answer(self, content: bytes, wanted: str | None, fault: Fault) -> None:
        tag = f'"{hashlib.md5(content).hexdigest()}"'  # noqa: S324 -- names a version
        start, stop = 0, len(content)
        is_same = self.headers.get("If-Range") in (None, tag)
        if wanted and is_same and not fault.ignores_range:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start = int(first) if fault.range_start is None else fault.range_start
            stop = int(last) + 1 if last else stop
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:stop]
        if fault.corrupts:
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault.has_length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", tag)
        self.end_headers()
        self.send_body(body if fault.num_bytes is None else body[: fault.num_bytes])
        if fault.stalls:
            self.wfile.flush()
            self.site.closing.wait(20)

    def send_body(self, body: bytes) -> None:
        step = 8192
        for begin in range(0, len(body), step):
            chunk = body[begin : begin + step]
            try:
                self.wfile.write(chunk)
            except OSError:  # the client is gone
                return
            self.site.num_served += len(chunk)
            self.site.on_served(self.site.num_served)
            if self.site.bytes_per_s:
                time.sleep(len(chunk) / self.site.bytes_per_s)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    """A server without files."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("SiteHandler", (Handler,), {"site": site}))
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


# So that no image is in two parts.
_SHIFTS = {None: 0, "train": 0, "validation": 1000, "test": 2000}


def official_members(archive: Archive, num: int, size: int) -> dict[str, bytes]:
    """Members of a small archive, laid out as the official one of that name."""
    generator = random.Random(archive.name)  # noqa: S311 -- the same bytes each time
    first = 24306 + (archive.name == "HAM10000_images_part_2.zip") * 5000
    numbers = [first + _SHIFTS[archive.part] + number for number in range(num)]
    if archive.target == "HAM10000_segmentations_lesion_tschandl":
        numbers = [number + shift for number in numbers for shift in (0, 5000)]
    ending = "_Segmentation" if "ISBI2016" in archive.name else "_segmentation"
    endings = [".jpg"] if archive.holds == "images" else [f"{ending}.png"]
    if "Task2" in archive.name:
        endings = [f"_attribute_{name}.png" for name in Isic2018.attributes]
    if "2017" in archive.name:
        endings += ["_superpixels.png"] * (archive.holds == "images")
        endings = ["_features.json"] if "Part2" in archive.name else endings
    # The images of HAM10000 lie in their archives without a folder.
    folder = "" if "HAM10000_images" in archive.name else f"{archive.target}/"
    members = {
        f"{folder}ISIC_{number:07}{ending}": generator.randbytes(size)
        for number in numbers
        for ending in endings
    }
    if "2018" in archive.name:
        members |= {f"{folder}LICENSE.txt": b"terms", f"{folder}ATTRIBUTION.txt": b"people"}
    if archive.target == "HAM10000_segmentations_lesion_tschandl":
        members |= {f"__MACOSX/{folder}._ISIC_0025504_segmentation.png": b"junk"}
    return members


def official_table(archive: Archive, num: int) -> bytes:
    if archive.name == "HAM10000_metadata.csv":
        rows = [
            f"HAM_{number % 3:07},ISIC_{first + number:07},nv,histo,45.0,male,back,vidir_modern"
            for first in (24306, 29306)
            for number in range(num)
        ]
        header = "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset"
        return "\n".join([header, *rows, ""]).encode()
    first = 24306 + _SHIFTS[archive.part]
    rows = [f"ISIC_{first + number:07},0.0,1.0" for number in range(num)]
    return "\n".join(["image_id,melanoma,seborrheic_keratosis", *rows, ""]).encode()


Publish = Callable[..., Download]


@pytest.fixture
def publish(site: Site) -> Publish:
    """Put small archives in the official layout on the server, and tell their table."""

    def put(name: str, *, num: int = 3, size: int = 300) -> Download:
        archives = []
        for one in DOWNLOADS[name].archives:
            if one.holds == "table":
                content = official_table(one, num)
            else:
                content = zip_bytes(official_members(one, num, size))
            address = (one.address or one.name).partition("?")[0]
            site.files[address] = site.files[one.name] = content
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}" if one.digest else None
            archives.append(
                Archive(
                    **{
                        **vars(one),
                        "digest": digest,
                        "num_bytes": len(content) if one.num_bytes else None,
                        "address": address,
                    }
                )
            )
        return Download(DOWNLOADS[name].dataset, site.address, tuple(archives))

    return put
