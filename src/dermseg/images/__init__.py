"""Image and mask files: the only place that knows formats, EXIF, palettes and bit depths.

Everything outside works with RGB images (H, W, 3) uint8, masks (H, W) bool and
``size = (height, width)``. What cannot be read is an ``ImageError`` that names the file and the
reason; what cannot be written is an ``OutputError``, and no half-written file is left behind.
"""

from dermseg.images.containers import check_pixels
from dermseg.images.folders import find_images, list_images, may_be_dicom
from dermseg.images.formats import IMAGE_SUFFIXES
from dermseg.images.reading import (
    EncodedImage,
    ImageLike,
    convert_pillow,
    foreground,
    is_whole,
    name_of,
    open_image,
    read_image,
    read_labels,
    read_mask,
    read_mask_values,
    read_orientation,
    read_size,
    read_spacing,
)
from dermseg.images.sources import ImageSource
from dermseg.images.writing import (
    encode_jpeg,
    encode_mask,
    encode_png,
    encode_probability,
    write_image,
    write_mask,
    write_probability,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "EncodedImage",
    "ImageLike",
    "ImageSource",
    "check_pixels",
    "convert_pillow",
    "encode_jpeg",
    "encode_mask",
    "encode_png",
    "encode_probability",
    "find_images",
    "foreground",
    "is_whole",
    "list_images",
    "may_be_dicom",
    "name_of",
    "open_image",
    "read_image",
    "read_labels",
    "read_mask",
    "read_mask_values",
    "read_orientation",
    "read_size",
    "read_spacing",
    "write_image",
    "write_mask",
    "write_probability",
]
