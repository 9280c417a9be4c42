"""Two archives of images, one of what is normal and one of what is not."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from evermodel.core.data import Array, Raw
from evermodel.core.errors import EvermodelError
from evermodel.formats import image_files, labelled_images, raw_files
from evermodel.formats.labelled_images import Options


def read(folder: Path, *, normal: Options, odd: Options) -> Raw:
    """The normal images, then the odd ones at the normal ones' size, (n, height, width, channels) uint8.

    normal, odd: the options of either archive; normal images need a group `split`. The manifest has split
    (all odd images are test rows), label ("normal" or "odd") and what image_files.metadata tells. Raises
    EvermodelError as labelled_images.load does, or if the normal images have no split.
    """
    usual, strange = labelled_images.load(folder, normal), labelled_images.load(folder, odd)
    if "split" not in usual.columns:
        raise EvermodelError(
            f"{folder}: the normal images need a split; name a group `split` in normal.members in "
            f"{raw_files.described(folder / normal['archive'])}"
        )
    height, width = usual.pixels.shape[1:3]
    resized = np.stack([_resized(image, height, width) for image in strange.pixels])
    inputs = np.concatenate([usual.pixels, resized])
    known = pd.DataFrame({"split": usual.columns["split"], "label": "normal"})
    novel = pd.DataFrame({"split": "test", "label": ["odd"] * len(resized)})
    manifest = pd.concat([known, novel], ignore_index=True)
    rejected = usual.rejected + strange.rejected
    return Raw("images", manifest.join(image_files.metadata(inputs)), inputs, rejected=rejected)


def _resized(image: Array, height: int, width: int) -> Array:
    return image_files.array(image_files.resized(Image.fromarray(image.squeeze()), height, width))
