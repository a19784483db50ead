"""Pages from templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2

from dermseg import __version__
from dermseg.evaluation.report.scales import format_number

__all__ = ["render_page"]


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """Fill a template of the folder ``templates``; all that enters is escaped.

    Args:
        template: Its file name, e.g. ``report.html.j2``. It extends ``base.html.j2``, which asks
            for ``sections``, pairs of an anchor and a name.
        context: Its values.

    Returns:
        The whole page.
    """
    page = _environment().get_template(template)
    text = page.render({**context, "version": __version__})
    # Ids may hold bytes that are no text.
    return text.encode(errors="backslashreplace").decode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dermseg.evaluation.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment
