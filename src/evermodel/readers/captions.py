"""Pictures composed of two data sets in MNIST's form, digits and garments, each with a caption."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np
import pandas as pd

from evermodel.core.data import Array, Kind, Raw
from evermodel.core.errors import EvermodelError
from evermodel.formats import idx_format, image_files, raw_files

KIND: Kind = "images"
OF_DIGITS, OF_GARMENTS = "digits-", "garments-"  # what the names of their files begin with
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# By their numbers in Fashion-MNIST. Coats and shirts look like pullovers and T-shirts, and sandals like
# sneakers: on so few pixels a classifier takes one for the other, and so would who judges a picture.
GARMENTS = {0: "T-shirt", 1: "trouser", 2: "pullover", 3: "dress", 7: "sneaker", 8: "bag", 9: "boot"}
# As many as garments: if each of them lacks one, all others tell that colour and kind are two things.
COLOURS = {
    "red": (255, 64, 64),
    "yellow": (255, 224, 64),
    "green": (64, 224, 64),
    "cyan": (64, 224, 255),
    "blue": (64, 96, 255),
    "pink": (255, 112, 240),
    "white": (255, 255, 255),
}

Things = Sequence[tuple[str, int, tuple[int, ...]]]  # of a picture: the data set, the class and the colour


def read(folder: Path, *, train: int, test: int, new: Sequence[str] = ()) -> Raw:
    """Pictures, (n, height, 2 * width, 3) uint8, twice as wide as the images that they are composed of.

    One digit in the middle ("a seven"), two side by side ("three and five side by side"), or a garment in a
    colour ("a red trouser"), a third of the pictures each, and of each as many of every caption. Images are
    taken in the order of their files, and once more from the beginning where there are too few. train, test:
    pictures of each split, before those are left out of train whose caption is among `new`.

    The manifest has split, caption and what image_files.metadata tells. Raises EvermodelError if
    a file is missing, changed or corrupt, a class has no image, or a new caption is none.
    """
    known = _captions()
    if odd := sorted(set(new) - {caption for captions in known for caption in captions}):
        raise EvermodelError(
            f"{raw_files.described(folder / idx_format.FILES['train'][0])}: new has {odd[0]!r}, which is no "
            f"caption; captions are such as {', '.join(next(iter(captions)) for captions in known)}"
        )
    inputs, told = [], []
    for split, rows in {"train": train, "test": test}.items():
        images = {kind: _images(folder, kind, split) for kind in (OF_DIGITS, OF_GARMENTS)}
        chosen = _chosen(known, rows)
        pictures = np.stack([_picture(things, images) for _, things in chosen])
        captions = np.array([caption for caption, _ in chosen], dtype=object)
        kept = np.flatnonzero((split != "train") | ~np.isin(captions, list(new)))
        inputs.append(pictures[kept])
        told.append(pd.DataFrame({"split": split, "caption": captions[kept]}))
    everything = np.concatenate(inputs)
    manifest = pd.concat([pd.concat(told, ignore_index=True), image_files.metadata(everything)], axis=1)
    return Raw(KIND, manifest, everything)


def _captions() -> tuple[dict[str, Things], ...]:
    """What is on the pictures of each caption, of each kind of picture."""
    white = (255, 255, 255)
    named = list(enumerate(DIGITS))
    return (
        {f"{_a(name)} {name}": [(OF_DIGITS, number, white)] for number, name in named},
        {
            f"{left} and {right} side by side": [(OF_DIGITS, one, white), (OF_DIGITS, other, white)]
            for (one, left), (other, right) in product(named, named)
        },
        {
            f"{_a(colour)} {colour} {name}": [(OF_GARMENTS, number, tone)]
            for (number, name), (colour, tone) in product(GARMENTS.items(), COLOURS.items())
        },
    )


def _a(word: str) -> str:
    return "an" if word == "eight" else "a"


def _chosen(known: Sequence[Mapping[str, Things]], rows: int) -> list[tuple[str, Things]]:
    """Captions with what is to be seen, in an order that mixes them, the same for as many rows."""
    of_kinds = [
        islice(cycle(captions.items()), (rows + place) // len(known)) for place, captions in enumerate(known)
    ]
    found = [one for kind in of_kinds for one in kind]
    return [found[row] for row in np.random.RandomState(len(found)).permutation(len(found))]


def _images(folder: Path, kind: str, split: str) -> dict[int, Iterator[Array]]:
    """The images of each class, (height, width) uint8, again and again."""
    names = [f"{kind}{name}" for name in idx_format.FILES[split]]
    images, labels = (
        idx_format.load_array(raw_files.checked(folder, name), dimensions)
        for name, dimensions in zip(names, (3, 1), strict=True)
    )
    if len(images) != len(labels):
        raise EvermodelError(
            f"{folder}: {names[0]} has {len(images)} images, {names[1]} {len(labels)} labels; "
            "give files of one data set"
        )
    wanted = GARMENTS if kind == OF_GARMENTS else range(len(DIGITS))
    if missing := [number for number in wanted if number not in labels]:
        raise EvermodelError(
            f"{folder}: {names[1]} has no label {missing[0]}; give files of the right data set"
        )
    return {number: cycle(images[labels == number]) for number in wanted}


def _picture(things: Things, images: Mapping[str, Mapping[int, Iterator[Array]]]) -> Array:
    """One thing in the middle, or two side by side, on black."""
    painted = [
        (next(images[kind][number])[..., None] * (np.array(tone) / 255)).astype(np.uint8)
        for kind, number, tone in things
    ]
    side = np.concatenate(painted, axis=1)
    missing = len(painted) == 1 and painted[0].shape[1] // 2
    return np.pad(side, ((0, 0), (missing, missing), (0, 0)))
