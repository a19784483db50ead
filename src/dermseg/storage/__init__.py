"""Storage that images are read from, and that masks and tables are written to.

Everything above speaks of files by their storage and key, and never of paths. A local folder is
one such place; another one is a class with the methods of :class:`Storage`, or of :class:`Sink`
if results go to it, and a line in :func:`open_location` and :func:`open_sink`.
"""

from dermseg.storage.archive import Archive
from dermseg.storage.base import Appender, Sink, Storage, StoredFile
from dermseg.storage.files import (
    printable_path,
    read_reason,
    remove_leftovers,
    write_bytes_atomically,
    write_chunks_atomically,
    write_reason,
)
from dermseg.storage.folder import Folder, Location, open_location, open_sink

__all__ = [
    "Appender",
    "Archive",
    "Folder",
    "Location",
    "Sink",
    "Storage",
    "StoredFile",
    "open_location",
    "open_sink",
    "printable_path",
    "read_reason",
    "remove_leftovers",
    "write_bytes_atomically",
    "write_chunks_atomically",
    "write_reason",
]
