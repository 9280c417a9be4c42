"""Two archives of images, one of what is normal and one of what is not."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from PIL import Image

from evermodel.core.data import Array, Kind, Raw
from evermodel.core.errors import EvermodelError
from evermodel.core.terms import Fit, ImageOptions
from evermodel.formats import image_files, labelled_images, raw_files
from evermodel.formats.labelled_images import LabelledImages
from evermodel.formats.scratch import Scratch

KIND: Kind = "images"


def read(folder: Path, *, normal: ImageOptions, odd: ImageOptions) -> Raw:
    """The normal images, then the odd ones at the normal ones' size, (n, height, width, channels) uint8.

    They are mapped from disk. normal, odd: the options of either archive; normal images need a group
    `split`. The manifest has split (all odd images are test rows), label ("normal" or "odd") and what
    image_files.metadata tells. Raises EvermodelError as labelled_images.load does, or if the normal images
    have no split.
    """
    usual, strange = labelled_images.load(folder, normal), labelled_images.load(folder, odd)
    if "split" not in usual.columns:
        raise EvermodelError(
            f"{folder}: the normal images need a split; name a group `split` in normal.members in "
            f"{raw_files.described(folder / normal['archive'])}"
        )
    shape = usual.pixels.shape[1:3]
    scratch = Scratch()
    scratch.extend(usual.pixels)
    scratch.extend(_resized(image, shape, usual.fit) for image in strange.pixels)
    known = pd.DataFrame({"split": usual.columns["split"], "label": "normal"})
    novel = pd.DataFrame({"split": "test", "label": ["odd"] * len(strange.pixels)})
    everything = LabelledImages(
        pd.concat([known, novel], ignore_index=True),
        scratch.array(),
        usual.rejected + strange.rejected,
        usual.fit,
    )
    return everything.raw()


def _resized(image: Array, shape: Sequence[int], fit: Fit) -> Array:
    return image_files.array(image_files.fitted(Image.fromarray(image.squeeze()), shape, fit))
