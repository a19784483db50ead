"""Generated dermoscopic images with structures and exact masks."""

from __future__ import annotations

from dermseg.phantom.attributes.drawing import AttributePhantom, draw_attributes
from dermseg.phantom.attributes.options import AttributeOptions
from dermseg.phantom.generator import add_artefacts, create_scene
from dermseg.phantom.options import PhantomOptions
from dermseg.types import Size

__all__ = ["create_attribute_phantom"]


def create_attribute_phantom(
    seed: int,
    *,
    size: Size = (192, 256),
    options: PhantomOptions | None = None,
    attributes: AttributeOptions | None = None,
) -> AttributePhantom:
    """Generate one dermoscopic image of a lesion with structures, and their masks.

    The lesion is that of ``create_phantom``, without its mesh, which no mask would explain; the
    artefacts lie over the structures. The result depends on the arguments alone.

    Args:
        seed: Not negative.
        size: (height, width), each 32 to 16384 pixels.
        options: What to fix of skin, lesion and artefacts.
        attributes: How often which structure is drawn.

    Returns:
        The phantom; its ``distractors`` do not count the artefacts.

    Raises:
        UsageError: If the seed is negative or the size too small or too large.

    Example:
        >>> phantom = create_attribute_phantom(7, size=(96, 128))
        >>> list(phantom.masks)
        ['globules', 'milia_like_cyst', 'negative_network', 'pigment_network', 'streaks']
    """
    scene = create_scene(seed, size=size, options=options, mesh=False)
    drawn = draw_attributes(scene.image, scene.mask, seed=seed, options=attributes)
    image = add_artefacts(drawn.image, seed, scene.parameters)
    return AttributePhantom(image, drawn.lesion, drawn.masks, drawn.distractors, seed)
