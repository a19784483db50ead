"""An evaluation as a page: one HTML file that needs nothing else.

The page's parts (figures, cases, template, style) also make the page of a comparison.
"""

from __future__ import annotations

__all__: list[str] = []
