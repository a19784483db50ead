"""Import torchvision, also beside a torch that it was not built for.

The registry's torchvision is built for CUDA. Beside a CPU build of torch its compiled operators do
not load, and the import itself then stops with ``operator torchvision::nms does not exist``,
because torchvision describes operators that nothing has declared. Declaring them is enough for
what dermseg uses: transforms, tensors, and the libraries that import torchvision themselves
(lightning, timm, segmentation-models-pytorch). What is compiled stays out of reach, such as
``torchvision.ops.nms`` and torchvision's own JPEG reader.

Write ``from dermseg.torchvision_import import tv_tensors, v2``, and import this module before
lightning, timm or segmentation-models-pytorch. Where torchvision imports by itself, it does nothing
else.

Raises:
    MissingExtraError: On import, if torch or torchvision is not installed.
"""

from __future__ import annotations

import sys

from dermseg.errors import MissingExtraError

__all__ = ["tv_tensors", "v2"]

try:
    import torch
    import torchvision  # noqa: F401 -- imported to see whether it can be
except ModuleNotFoundError as error:
    if error.name not in {"torch", "torchvision"}:
        raise
    raise MissingExtraError("training", "train") from error
except RuntimeError as error:
    if "operator torchvision::nms does not exist" not in str(error):
        raise
    # The declarations live as long as this object: it must not be garbage-collected.
    _declared = torch.library.Library(  # type: ignore[no-untyped-call]
        "torchvision", "FRAGMENT"
    )
    for _operator in ("nms", "qnms"):
        _declared.define(  # type: ignore[no-untyped-call]
            f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
    # The failed import leaves submodules behind, which a new torchvision would not hold as its
    # attributes: they are to be imported again.
    for _module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[_module]

from torchvision import tv_tensors
from torchvision.transforms import v2
