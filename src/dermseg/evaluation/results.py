"""The result of an evaluation: scores of images, figures over them, and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dermseg.datasets.listing import list_some
from dermseg.errors import DatasetError, UsageError
from dermseg.evaluation.attribute_figures import (
    ClassFigures,
    ImagePresence,
    PresenceFigures,
    class_figures,
    presence_figures,
)
from dermseg.evaluation.figures import (
    ProtocolFigures,
    QualityFigures,
    applies,
    mean_measures,
    measured,
    protocol_figures,
    quality_figures,
)
from dermseg.evaluation.image_score import (
    Histograms,
    ImageScore,
    Measures,
    are_attributes,
    group_of,
    image_of,
)
from dermseg.evaluation.intervals import Interval
from dermseg.evaluation.leaks import Leaks
from dermseg.evaluation.matching import (
    ImageFiles,
    Skipped,
)
from dermseg.evaluation.scoring import (
    PixelPool,
    complement_fits,
)

__all__ = ["Evaluation", "summarize"]

_PLAIN = Measures()


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        scores: The images that were scored, sorted by id.
        skipped: The images that were not, sorted by id; they are in no mean.
        means: Means over the scored images of what no protocol knows, e.g. border distances.
        extra: Ids of predictions without truth; they are in no mean either.
        protocol: The name of the one of ``protocols`` that makes ``aggregates``.
        protocols: What the masks score under the protocols that were asked for.
        groups: The group of each scored id, where it is not the id itself.
        measures: What was measured.
        pooled_probabilities: Pixels by probability and truth, of all images and near their
            borders; None if there are no probabilities.
        leaks: What the model has seen of the images; None where it is not known which model it is.
        seed: Seed of the bootstrap intervals.
        files: The files of each scored id, where they are known.
        metadata: What the dataset says about each scored id, where it says anything.
        classes: The figures of each attribute, where masks of attributes are scored. Each score
            is of one image and one attribute then.
        presence: How well a model tells which images show an attribute, where that is known.
        quality: What a model's expectations of its masks are worth, where it had any.
    """

    scores: tuple[ImageScore, ...]
    skipped: tuple[Skipped, ...]
    means: Mapping[str, Interval]
    extra: tuple[str, ...] = ()
    protocol: str = "isic"
    protocols: tuple[ProtocolFigures, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    measures: Measures = _PLAIN
    pooled_probabilities: Histograms | None = None
    leaks: Leaks | None = None
    seed: int = 0
    files: Mapping[str, ImageFiles] = field(default_factory=dict, compare=False)
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False)
    classes: tuple[ClassFigures, ...] = ()
    presence: PresenceFigures | None = None
    quality: QualityFigures | None = None

    @property
    def num_scored(self) -> int:
        """Number of images that the means are taken over; of attributes, number of masks."""
        return len(self.scores)

    @property
    def num_images(self) -> int:
        """Number of images that are scored; several masks of attributes may be of one."""
        return len({image_of(score.id) for score in self.scores})

    @property
    def is_grouped(self) -> bool:
        """Whether the intervals resample anything but single images."""
        return any(group != image_of(id) for id, group in self.groups.items())

    @property
    def num_skipped(self) -> int:
        """Number of images that should have been scored and could not be."""
        return len(self.skipped)

    @property
    def num_questionable(self) -> int:
        """Number of scored images whose files are odd, see `ImageScore.findings`."""
        return sum(bool(score.findings) for score in self.scores)

    @property
    def looks_inverted(self) -> bool:
        """Whether most images fit better with lesion and skin swapped in one of the folders."""
        return 2 * sum(complement_fits(score.counts) for score in self.scores) > self.num_scored

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the reader of the figures, one sentence each."""
        lines = list(self.leaks.warnings) if self.leaks else []
        if self.skipped:
            num_images = self.num_scored + self.num_skipped
            scored = "masks" if self.classes else "images"
            lines.append(
                f"{self.num_skipped} of {num_images} {scored} were skipped and do not enter the "
                "means"
            )
            lines += [f"skipped {skipped}" for skipped in self.skipped]
        if self.extra:
            lines.append(
                f"{len(self.extra)} predictions have no truth and were ignored: "
                f"{list_some(self.extra)}"
            )
        if self.looks_inverted:
            lines.append(
                "most masks fit better with lesion and skin swapped: the truth or the predictions "
                "are inverted; lesion must be white"
            )
        lines += [f"scored {score.id}: {note}" for score in self.scores for note in score.findings]
        lines += self._undefined()
        for figures in self.protocols:
            if figures.protocol.scaling.inside_lesion:
                lines += self._without_lesion(figures.protocol.name)
            if figures.refused:
                lines.append(
                    f"{figures.protocol.name} refuses masks that are not binary: "
                    f"{len(figures.refused)} left out, {list_some(figures.refused)}"
                )
        return tuple(lines)

    @property
    def aggregates(self) -> dict[str, Interval]:
        """The figures of the chosen protocol, e.g. ``mean_jaccard``, and the other means.

        A mean that the protocol has rules of its own for, such as an AUC, is the protocol's.
        """
        return {**self.figures, **self.other_means}

    @property
    def figures(self) -> Mapping[str, Interval]:
        """The figures of the chosen protocol alone."""
        chosen = [figures for figures in self.protocols if figures.protocol.name == self.protocol]
        return chosen[0].figures if chosen else {}

    @property
    def other_means(self) -> dict[str, Interval]:
        """Means that no protocol has rules for: over the whole image, at native size."""
        return {name: mean for name, mean in self.means.items() if name not in self.figures}

    def under(self, name: str) -> Evaluation:
        """Return the same with the figures of another of ``protocols`` as ``aggregates``.

        Raises:
            UsageError: If the protocol was not computed, because it is not made for such masks.
        """
        if name not in [figures.protocol.name for figures in self.protocols]:
            raise UsageError(_not_made_for(name))
        return replace(self, protocol=name)

    @property
    def num_problems(self) -> int:
        """Number of images that are skipped, questionable or without truth."""
        return self.num_skipped + len(self.extra) + self.num_questionable

    @property
    def outcome(self) -> str:
        """How many images are skipped, questionable or without truth, in words."""
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.count_skipped().items())
        parts = [f"{self.num_skipped} skipped" + (f" ({kinds})" if kinds else "")]
        if self.extra:
            parts.append(f"{len(self.extra)} predictions without truth")
        if self.num_questionable:
            parts.append(f"{self.num_questionable} scored but questionable")
        return ", ".join(parts)

    def count_skipped(self) -> dict[str, int]:
        """Count the skipped images by what is wrong, see `Skipped.kind`."""
        return dict(sorted(Counter(skipped.kind for skipped in self.skipped).items()))

    def _without_lesion(self, protocol: str) -> list[str]:
        images = {image_of(score.id) for score in self.scores} - set(self.measures.lesions)
        if not images:
            return []
        return [
            f"{protocol} scores inside the lesion, but {len(images)} images were scored as a whole "
            f"for want of a lesion mask: {list_some(sorted(images))}; give these with --lesions"
        ]

    def _undefined(self) -> list[str]:
        lines = []
        for name in measured(self.scores):
            num_undefined = sum(score.value(name) != score.value(name) for score in self.scores)
            if num_undefined:
                scored = "masks" if self.classes else "images"
                lines.append(
                    f"{num_undefined} of {self.num_scored} {scored} have no {name} and are not in "
                    "its mean"
                )
        return lines


def summarize(
    results: Iterable[ImageScore | Skipped],
    pool: PixelPool,
    *,
    groups: Mapping[str, str],
    measures: Measures,
    seed: int,
    extra: tuple[str, ...] = (),
    judged: Sequence[ImagePresence] = (),
) -> Evaluation:
    """Take the means over what was scored.

    Args:
        results: Results of single images, in any order.
        pool: What has taken the histograms out of them.
        groups: The group of each id that is not a group of its own.
        measures: What was measured.
        seed: Seed of the confidence intervals.
        extra: Ids of predictions without truth.
        judged: What a model says of whole images, where there is something to hold against it.

    Raises:
        DatasetError: If not a single image can be scored or judged.
        UsageError: If no protocol that was asked for is made for such masks.
    """
    ordered = sorted(results, key=lambda result: result.id)
    scores = tuple(result for result in ordered if isinstance(result, ImageScore))
    skipped = tuple(result for result in ordered if isinstance(result, Skipped))
    presence = presence_figures(judged, seed=seed) if judged else None
    if not scores and presence is None:
        first = f", for example {skipped[0]}" if skipped else ""
        beside = f". Predictions without truth: {list_some(extra)}" if extra else ""
        raise DatasetError(f"none of {len(skipped)} images could be scored{first}{beside}")
    named = {score.id: group_of(score.id, groups) for score in scores}
    asked = [protocol for protocol in measures.protocols if applies(protocol, scores)]
    if scores and not asked:
        raise UsageError(_not_made_for(measures.protocols[0].name))
    return Evaluation(
        scores,
        skipped,
        mean_measures(scores, groups=groups, seed=seed),
        extra,
        protocol=asked[0].name if asked else measures.protocols[0].name,
        protocols=tuple(
            protocol_figures(protocol, scores, groups=groups, seed=seed)
            for protocol in asked
            if scores
        ),
        groups={id: group for id, group in named.items() if group != id},
        measures=measures,
        pooled_probabilities=pool.total,
        seed=seed,
        classes=class_figures(scores, pool.attributes, groups=groups, seed=seed)
        if are_attributes(scores)
        else (),
        presence=presence,
        quality=quality_figures(scores, groups=groups, seed=seed),
    )


def _not_made_for(name: str) -> str:
    return (
        f"the protocol '{name}' is for masks of dermoscopic attributes, whose names end in "
        "_attribute_ and the attribute; choose another"
    )
