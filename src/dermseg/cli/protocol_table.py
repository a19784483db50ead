"""The figures of several protocols, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dermseg.evaluation import Interval, ProtocolFigures

__all__ = ["protocol_lines"]


def protocol_lines(rows: Sequence[ProtocolFigures]) -> Iterator[str]:
    """Yield the lines of a table: figures first, then what they are taken over and why."""
    yield f"{'protocol':>15}  {'Jaccard':>7}  {'Dice':>6}  {'its headline, with its interval':<50}"
    for row in rows:
        protocol = row.protocol
        headline = f"{protocol.prefix}_{protocol.headline} {_with_ends(row.headline)}"
        jaccard, dice = _figure(row, "jaccard"), _figure(row, "dice")
        yield f"{protocol.name:>15}  {jaccard:>7}  {dice:>6}  {headline}"
    yield ""
    for row in rows:
        left_out = len(row.refused) + max(row.num_undefined.values(), default=0)
        note = f"; {left_out} images left out" if left_out else ""
        yield f"{row.protocol.name:>15}  {row.protocol.taken_over}; {row.protocol.empty}{note}"


def _figure(row: ProtocolFigures, score: str) -> str:
    """A score as its users would call it, e.g. their class mean where they know no other."""
    for name in (score, f"class_mean_{score}", f"{score}_as_accuracy"):
        if (value := row.figures.get(f"{row.protocol.prefix}_{name}")) is not None:
            return f"{value.value:.4f}"
    return "-"


def _with_ends(value: Interval | None) -> str:
    return "-" if value is None else f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"
