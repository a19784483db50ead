"""Pages from templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import jinja2
from markupsafe import Markup

from dermseg.pages.parts import CONTENT_SECURITY_POLICY, stylesheet
from dermseg.pages.scales import format_number

__all__ = ["render_page"]


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """Fill a template of the folder ``templates``; all text that enters is escaped.

    Args:
        template: File name of a template that extends ``base.html.j2``, e.g. ``audit.html.j2``.
        context: Its values. ``sections`` lists (anchor, name) for the navigation.

    Returns:
        The page; it can be written in UTF-8.
    """
    page = _environment().get_template(template)
    text = page.render(
        {
            **context,
            "version": version("dermseg"),
            "content_security_policy": CONTENT_SECURITY_POLICY,
            "stylesheet": Markup(stylesheet()),  # noqa: S704 - our own file
        }
    )
    # File names may hold bytes that are no text, and so may ids.
    return text.encode(errors="backslashreplace").decode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dermseg.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment
