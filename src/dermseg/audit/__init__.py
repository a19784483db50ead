"""The same image, or the same lesion, where it should not be: in two parts or two datasets.

Images are compared by file, by pixels and by what they show, so that copies are found that were
re-encoded, resized, turned, mirrored or cropped. Needs the extra ``eval``.
"""

from __future__ import annotations

from dermseg.audit.alignment import Alignment, align
from dermseg.audit.auditing import Audit, audit_datasets
from dermseg.audit.candidates import Candidate, find_candidates
from dermseg.audit.items import Item, Place, list_items
from dermseg.audit.page import write_page
from dermseg.audit.pairs import KINDS, SAME_IMAGE, SAME_LESION, ImagePair, Kind
from dermseg.audit.report import summarise, write_groups, write_report
from dermseg.audit.sheets import draw_pair, write_sheets

__all__ = [
    "KINDS",
    "SAME_IMAGE",
    "SAME_LESION",
    "Alignment",
    "Audit",
    "Candidate",
    "ImagePair",
    "Item",
    "Kind",
    "Place",
    "align",
    "audit_datasets",
    "draw_pair",
    "find_candidates",
    "list_items",
    "summarise",
    "write_groups",
    "write_page",
    "write_report",
    "write_sheets",
]
