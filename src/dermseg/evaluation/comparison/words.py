"""A comparison in plain words."""

from __future__ import annotations

from dermseg.datasets.listing import list_some
from dermseg.evaluation.comparison.aligning import Aligned
from dermseg.evaluation.comparison.outcome import Comparison, PairTest
from dermseg.evaluation.intervals import Interval

__all__ = ["conclusions", "coverage_warnings", "describe_images", "format_p_value"]


def conclusions(comparison: Comparison) -> list[str]:
    """Say which models can be told apart and which cannot, one sentence each.

    First the sets that cannot be told apart, then the pairs that can; of more than ten such pairs
    only their number. Pairs whose test and mean contradict each other come last.
    """
    images = f"on these {describe_images(comparison)}"
    by_letter: dict[str, list[str]] = {}
    for ranked in comparison.ranking:
        for letter in _split(ranked.letters):
            by_letter.setdefault(letter, []).append(ranked.name)
    alike = [names for names in by_letter.values() if len(names) > 1]
    lines = [f"{_listed(names)} cannot be told apart {images}" for names in alike]
    if len(comparison.pairs) == 1 and alike:
        lines[0] += f": {_figures(comparison.pairs[0])}"
    apart = [pair for pair in comparison.pairs if pair.told_apart]
    if len(apart) > 10:
        lines.append(f"{len(apart)} of {len(comparison.pairs)} pairs can be told apart {images}")
    else:
        lines += [f"{_better(pair)} {images}: {_figures(pair)}" for pair in apart]
    lines += [_contradiction(pair) for pair in comparison.pairs if pair.contradicts]
    return lines


def describe_images(comparison: Comparison) -> str:
    """Return how many images, and groups, were compared, e.g. ``206 images (180 groups)``."""
    num_images = comparison.num_images
    images = "1 image" if num_images == 1 else f"{num_images} images"
    num_groups = comparison.num_groups
    return images if num_groups in (None, num_images) else f"{images} ({num_groups} groups)"


def coverage_warnings(aligned: Aligned) -> list[str]:
    """Say what a model had seen before, which images are left out, and what else differs."""
    lines = []
    for evaluation in aligned.evaluations:
        overlap = evaluation.summary.training_overlap
        if overlap is not None and overlap.num_seen:
            lines.append(
                f"NO TEST RESULT: {evaluation.name} had seen {overlap.num_seen} of its "
                f"{overlap.num_images} images before, so its figures are too good; "
                f"{evaluation.folder / 'summary.json'} names them"
            )
    for evaluation, left_out in zip(aligned.evaluations, aligned.left_out, strict=True):
        if left_out:
            lines.append(
                f"{len(left_out)} images of {evaluation.name} are left out, because not every "
                f"evaluation scored them: {list_some(left_out)}"
            )
        if evaluation.summary.num_skipped:
            lines.append(
                f"{evaluation.name} skipped {evaluation.summary.num_skipped} images, which are in "
                f"no comparison; {evaluation.folder / 'summary.json'} names them"
            )
    protocols = {evaluation.name: evaluation.summary.protocol for evaluation in aligned.evaluations}
    if len(set(protocols.values())) > 1:
        named = ", ".join(f"{name} {protocol}" for name, protocol in protocols.items())
        lines.append(
            f"the means in the summaries follow different protocols ({named}); compared here are "
            "the scores of the images, which always follow isic"
        )
    without = [evaluation.name for evaluation in aligned.evaluations if evaluation.groups is None]
    if aligned.groups is not None and without:
        lines.append(f"{', '.join(without)} has no groups; those of the other evaluations are used")
    return lines


def format_p_value(value: float) -> str:
    """Return a p-value for people.

    Example:
        >>> format_p_value(0.0312), format_p_value(1e-9)
        ('0.031', '<0.001')
    """
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _split(letters: str) -> list[str]:
    """Each letter with the number behind it."""
    found: list[str] = []
    for character in letters:
        if character.isdigit():
            found[-1] += character
        else:
            found.append(character)
    return found


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _better(pair: PairTest) -> str:
    return f"{pair.difference.first} is better than {pair.difference.second}"


def _figures(pair: PairTest) -> str:
    difference = pair.difference
    p_value = format_p_value(pair.adjusted_p_value)
    return (
        f"{difference.score} {_signed(difference.mean)}, "
        f"p {p_value.replace('<', '< ') if '<' in p_value else f'= {p_value}'}"
    )


def _contradiction(pair: PairTest) -> str:
    difference = pair.difference
    return (
        f"{difference.first} and {difference.second} are not ranked apart although p is below "
        f"0.05: the mean difference is {_signed(difference.mean)}, and {difference.first} is "
        f"better on {difference.num_wins} images, {difference.second} on {difference.num_losses}. "
        "Look at the images: a few large differences may outweigh many small ones"
    )


def _signed(mean: Interval) -> str:
    return f"{mean.value:+.4f} [{mean.low:+.4f}, {mean.high:+.4f}]"
