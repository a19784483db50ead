"""Storage that images are read from, and that masks and tables are written to.

Everything above speaks of files by their storage and key, and never of paths. A local folder is
one such place; another one is a class with the methods of :class:`Storage`, or of :class:`Sink`
if results go to it, and a line in :func:`open_location` and :func:`open_sink`.
"""

from dermseg.storage.archive import Archive
from dermseg.storage.base import Appender, Sink, Storage, StoredFile
from dermseg.storage.files import (
    make_folder,
    printable_path,
    read_reason,
    remove_leftovers,
    write_bytes_atomically,
    write_chunks_atomically,
    write_reason,
)
from dermseg.storage.folder import Folder, Location, open_location, open_sink
from dermseg.storage.locking import LOCK, lock_file, lock_folder
from dermseg.storage.reading import (
    DAMAGED_ZIP,
    Refuse,
    Table,
    parse_json,
    read_file,
    read_json,
    read_model,
    read_table,
    read_text,
)

__all__ = [
    "DAMAGED_ZIP",
    "LOCK",
    "Appender",
    "Archive",
    "Folder",
    "Location",
    "Refuse",
    "Sink",
    "Storage",
    "StoredFile",
    "Table",
    "lock_file",
    "lock_folder",
    "make_folder",
    "open_location",
    "open_sink",
    "parse_json",
    "printable_path",
    "read_file",
    "read_json",
    "read_model",
    "read_reason",
    "read_table",
    "read_text",
    "remove_leftovers",
    "write_bytes_atomically",
    "write_chunks_atomically",
    "write_reason",
]
