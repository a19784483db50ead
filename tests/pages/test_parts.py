from __future__ import annotations

from xml.etree import ElementTree as ET

from dermseg.pages.charts import Curve, curve_chart
from dermseg.pages.parts import standalone_chart, stylesheet


def test_a_chart_can_be_a_file_of_its_own() -> None:
    curve = Curve([(0.0, 0.0), (1.0, 1.0)], "<rising> & more")
    chart = curve_chart([curve], x_label="<x> & y", y_label="y", description='"all"')
    drawing = ET.fromstring(standalone_chart(chart))  # noqa: S314
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<x> & y" in "".join(drawing.itertext())
    style = drawing.find("{*}style")
    assert style is not None
    assert "--accent:" in (style.text or "")


def test_the_style_sheet_knows_both_schemes_and_loads_nothing() -> None:
    assert "prefers-color-scheme: dark" in stylesheet()
    assert "url(" not in stylesheet()
    assert "@import" not in stylesheet()
