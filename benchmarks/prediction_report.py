"""The tables and the picture of `benchmarks/prediction.py`."""

from __future__ import annotations

import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

STEPS = ("decode", "resize", "network", "doubt", "mask", "measure", "write")
COLORS = ("#4477aa", "#66ccee", "#ccbb44", "#ee6677", "#228833", "#aa3377", "#bbbbbb")
Rows = Sequence[dict[str, Any]]


def write_report(folder: Path, rows: Rows) -> None:
    """Write ``tables.md`` and ``prediction.png``.

    Args:
        folder: Where to.
        rows: What was measured; suites that are missing are left out.
    """
    suites: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        suites[row["suite"]].append(row)
    writers = {
        "speed": speed_lines,
        "native": speed_lines,
        "sizes": size_lines,
        "steps": step_lines,
        "memory": memory_lines,
        "agreement": agreement_lines,
        "startup": startup_lines,
    }
    loads = [row["load"] for row in rows]
    parts = [
        f"{platform.machine()}, {os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f}"
    ]
    for suite, lines in writers.items():
        if suites[suite]:
            parts += [f"### {suite}", "\n".join(lines(suites[suite]))]
    text = "\n\n".join(parts) + "\n"
    (folder / "tables.md").write_text(text)
    print(text)
    if suites["steps"] and suites["sizes"]:
        draw(folder / "prediction.png", suites["steps"], suites["sizes"])


def speed_lines(rows: Rows) -> Iterator[str]:
    """Images per second of each contender, and ours against the others within each round."""
    values: defaultdict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        values[row["contender"]][row["round"]] = row
    yield "| contender | images /s | CPU ms per image |\n|---|---|---|"
    for name, rounds in values.items():
        speed, cpu = (
            statistics.median(row[key] for row in rounds.values())
            for key in ("per_second", "cpu_ms")
        )
        yield f"| {name} | {speed:.1f} | {cpu:.1f} |"
    yield "\n| ours | against | ratio | range | CPU ratio |\n|---|---|---|---|---|"
    ours = [name.removeprefix("limit:") for name in values if name.startswith("limit:")]
    for name in ours:
        others = [other for other in values if other not in ours and ":" not in other]
        for other in (*others, f"limit:{name}"):
            both = sorted(values[name].keys() & values[other].keys())
            pairs = [(values[name][number], values[other][number]) for number in both]
            if not pairs:
                continue
            ratios = [one["per_second"] / two["per_second"] for one, two in pairs]
            saved = statistics.median(two["cpu_ms"] / one["cpu_ms"] for one, two in pairs)
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            yield f"| {name} | {other} | {statistics.median(ratios):.2f} | {spread} | {saved:.2f} |"


def size_lines(rows: Rows) -> Iterator[str]:
    """Cost by size, and how it grows against the pixels."""
    yield "| runtime | size | megapixels | images /s | CPU ms | CPU ns per pixel |"
    yield "|---|---|---|---|---|---|"
    for name, points in _by_size(rows).items():
        for size, megapixels, speed, cpu in points:
            cost = cpu / megapixels
            yield f"| {name} | {size} | {megapixels:.1f} | {speed:.1f} | {cpu:.1f} | {cost:.1f} |"


def _by_size(rows: Rows) -> dict[str, list[tuple[str, float, float, float]]]:
    """By runtime: size, megapixels, images per second and CPU milliseconds, smallest first."""
    values: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        values[row["contender"], row["images"]].append(row)
    found: defaultdict[str, list[tuple[str, float, float, float]]] = defaultdict(list)
    for (name, size), same in values.items():
        height, width = map(int, size.split("x"))
        medians = [statistics.median(row[key] for row in same) for key in ("per_second", "cpu_ms")]
        found[name].append((size, height * width / 1e6, medians[0], medians[1]))
    return {name: sorted(points, key=lambda point: point[1]) for name, points in found.items()}


def step_lines(rows: Rows) -> Iterator[str]:
    """CPU milliseconds of each step, one thread."""
    yield f"| CPU ms per image | {' | '.join(STEPS)} | all |"
    yield "|---" * (len(STEPS) + 2) + "|"
    for row in rows:
        steps = row["cpu_ms"]
        cells = " | ".join(f"{steps[step]:.1f}" if step in steps else "" for step in STEPS)
        yield f"| {row['contender']} | {cells} | {sum(steps.values()):.1f} |"


def memory_lines(rows: Rows) -> Iterator[str]:
    """Peak memory by the number of images."""
    yield "| images | peak MB | seconds |\n|---|---|---|"
    for row in rows:
        yield f"| {row['contender']} | {row['peak_mb']:.0f} | {row['seconds']:.0f} |"


def agreement_lines(rows: Rows) -> Iterator[str]:
    """Jaccard index of fast masks, slow masks, and of one against the other."""
    yield "| ours | images | Jaccard | slow path | difference | fast against slow |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        fast, slow = row["fast"], row["slow"]
        yield (
            f"| {row['contender']} | {row['num_images']} | {fast:.4f} | {slow:.4f} | "
            f"{fast - slow:+.4f} | {row['mutual']:.4f} |"
        )


def startup_lines(rows: Rows) -> Iterator[str]:
    """Seconds of a call."""
    yield "| call | seconds |\n|---|---|"
    for row in rows:
        yield f"| `{row['contender']}` | {row['seconds']:.2f} |"


def draw(path: Path, steps: Rows, sizes: Rows) -> None:
    """Draw where the time goes, and how it grows with the size of the images."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_steps(left, steps)
    _draw_sizes(right, sizes)
    figure.savefig(path, dpi=120)


def _draw_steps(axes: Axes, rows: Rows) -> None:
    # The first at the top.
    rows = rows[::-1]
    names = [row["contender"] for row in rows]
    left = [0.0] * len(rows)
    for step, color in zip(STEPS, COLORS, strict=True):
        widths = [row["cpu_ms"].get(step, 0.0) for row in rows]
        axes.barh(names, widths, left=left, color=color, label=step)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for name, total in zip(names, left, strict=True):
        axes.text(total, name, f" {total:.0f}", va="center")
    axes.set_xlim(0, max(left) * 1.1)
    axes.set_xlabel("CPU milliseconds per image of 2048 x 1536 pixels, one thread")
    axes.legend(loc="upper right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_sizes(axes: Axes, rows: Rows) -> None:
    for (name, points), marker in zip(_by_size(rows).items(), "os^v", strict=False):
        megapixels, costs = [point[1] for point in points], [point[3] for point in points]
        axes.plot(megapixels, costs, marker=marker, label=name)
        start = costs[0] / megapixels[0]
    proportional = [megapixels[0], megapixels[-1]]
    axes.plot(
        proportional,
        [start * size for size in proportional],
        color="#888888",
        linestyle="--",
        label="as pixels",
    )
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(megapixels, [f"{size:.2g}" for size in megapixels], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("megapixels")
    axes.set_ylabel("CPU milliseconds per image, whole pipeline")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
