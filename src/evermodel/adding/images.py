"""Pictures as a data set: in the folders of their classes, named by a table, or in pairs with masks."""

import io
import re
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from evermodel.adding import doubts, labelled, look, questions, recipes, tables
from evermodel.adding.entry import Entry, Values
from evermodel.adding.finding import IMAGES, TABLES, Found, table_in
from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.formats import labelled_images

TASKS = ("binary", "classification", "regression", "segmentation")
OPENED = 64  # pictures that are looked at
SIDE = 128  # pixels of each side that pictures of many sizes get
STEP = 16  # by which U-Net wants sides to be divisible
PLAIN = [0, 255]  # in a mask of one thing
UNREAD = (".heic",)  # of cameras, which Pillow alone does not decode
VOID = 255  # what often stands in masks of several classes where a pixel belongs to none
FEW = 50  # values in a mask, beyond which it is no mask
MASKS = re.compile(r"(?:.*[\W_])?(?:masks?|labels?|segmentations?|annotations?)(?:[\W_].*)?", re.IGNORECASE)


def entry(found: Found, target: str | None, task: str | None) -> Entry:
    """What is written of pictures; target: the column of a table beside them, if there is one."""
    questions.require(task, TASKS, "pictures")
    names = [name for name in found.names if name.lower().endswith(IMAGES)]
    if not (readable := [name for name in names if not name.lower().endswith(UNREAD)]) and names:
        raise EvermodelError(
            f"{found.title}: {names[0]} and the others can't be decoded here; convert them to JPEG or PNG"
        )
    names = readable
    if task == "segmentation":
        return _pairs(found, names)
    listed = [name for name in found.names if name.lower().endswith(TABLES)]
    if target is not None:
        if len(listed) != 1:
            raise EvermodelError(
                f"--target is {target!r}, but beside the pictures of {found.title} there is no table, or "
                "more than one; put one there that names them, or leave --target out if folders are classes"
            )
        return _named(found, names, listed[0], target, task)
    return _foldered(found, names, task)


def _foldered(found: Found, names: list[str], task: str | None) -> Entry:
    """Pictures in the folders of their classes."""
    questions.require(task, questions.LABELLED, "pictures in folders")
    known = labelled.labels(names, found.title)
    task = task or labelled.task_of(known)
    shown = _shown(found, names)
    members = {"members": labelled_images.SPLIT_CLASSES} if labelled.declared(known) else {}
    rules = labelled.rules(known, len(found.names) - len(known))
    new = Entry(
        {
            "source": tables.source(found, "image_archive", found.options | members | shown),
            **rules,
            "expect": rules["expect"] | ({"shape": shown["shape"]} if "shape" in shown else {}),
        },
        recipes.of_images(task, known["label"]),
    )
    new.assumed += [
        f"{len(known)} pictures in folders of {known['label'].nunique()} classes; the folder is predicted by "
        f"task {task}",
        *_told(shown),
        f"split: {tables.ruled(new)}",
    ]
    new.doubts += [*_others(found, names), *doubts.of_classes(known["label"])]
    return new


def _named(found: Found, names: list[str], table: str, target: str, task: str | None) -> Entry:
    """Pictures that a table tells of."""
    with table_in(found, table) as beside, beside.raw() as folder:
        seen = look.look(folder, {})
    seen.require(target, "--target")
    task = task or questions.task_of(seen, target, None)
    questions.require(task, ("binary", "classification", "regression"), "pictures")
    is_number = catalog.target(task) == "number"
    y = seen.frame[target] if is_number else questions.labels(seen, target)
    files = _file_column(seen, names)
    shown = _shown(found, names)
    separator = seen.options.get("separator")
    options = {"table": table, "file_column": files, **({"separator": separator} if separator else {})}
    expect = tables.expect(seen, [], [target] if is_number else [])
    new = Entry(
        {
            "source": tables.source(found, "image_archive", found.options | options | shown),
            "target": target,
            **({} if is_number else tables.classes(seen, y)),
            "split": tables.split(found, seen, y, [], stratify=not is_number),
            "expect": expect | {"rejected": labelled.FAULTY},
        },
        recipes.of_images(task, y),
    )
    new.assumed += [
        f"{len(names)} pictures, {seen.rows} rows in {table}, whose column {files} names them; {target} is "
        f"predicted by task {task}",
        *_told(shown),
        f"split: {tables.ruled(new)}",
    ]
    new.doubts += [*_others(found, names), *(() if is_number else doubts.of_classes(y))]
    return new


def _pairs(found: Found, names: list[str]) -> Entry:
    """Pictures and masks in two folders."""
    folders = sorted({str(PurePosixPath(name).parent) for name in names})
    masks = [folder for folder in folders if MASKS.fullmatch(PurePosixPath(folder).name)]
    images = [folder for folder in folders if folder not in masks]
    if len(masks) != 1 or len(images) != 1:
        raise EvermodelError(
            f"{found.title} has pictures in the folders {', '.join(folders)}; for --task segmentation put "
            "them into two, images and masks"
        )
    own = {
        folder: [name for name in names if str(PurePosixPath(name).parent) == folder] for folder in folders
    }
    shown, values = _shown(found, own[images[0]], step=STEP), _values(found, own[masks[0]])
    patterns = {
        key: rf"{re.escape(folder)}/(?P<id>[^/]+)\.[^/.]+"
        for key, folder in (("images", images[0]), ("masks", masks[0]))
    }
    classes = [f"class_{value}" for value in values] if len(values) > 2 else []
    new = Entry(
        {
            "source": tables.source(
                found,
                "image_pairs",
                found.options | patterns | shown | ({} if values in ([], PLAIN) else {"values": values}),
            ),
            **({"classes": classes} if classes else {}),
            "split": {"method": "shuffle", **tables.SPLIT},
            "expect": {"min_rows": max(1, len(own[images[0]]) // 2), "rejected": labelled.FAULTY},
        },
        recipes.of_masks(),
    )
    new.assumed += [
        f"{len(own[images[0]])} pictures in {images[0]} and {len(own[masks[0]])} masks in {masks[0]}, paired "
        "by name",
        f"values in masks: {doubts.listed(map(str, values))}",
        *_told(shown),
        f"split: {tables.ruled(new)}",
    ]
    if len(values) > 2 and values[-1] == VOID > len(values):
        new.doubts.append(
            f"masks have the value {VOID}, by which many say that a pixel is of no class; here it is one "
            f"like the others, class_{VOID}, which is learned and judged"
        )
    return new


def _shown(found: Found, names: list[str], step: int = 1) -> Values:
    """How pictures become examples, by some of them: grey or in colours, and of which size."""
    sizes, modes = set(), set()
    for content in found.contents(names[:: max(1, len(names) // OPENED)]):
        try:
            with Image.open(io.BytesIO(content)) as image:
                sizes.add((image.height, image.width))
                modes.add(image.mode)
        except (UnidentifiedImageError, OSError):
            continue
    if not sizes:
        raise EvermodelError(f"{found.title}: none of {len(names)} pictures can be opened; mend the files")
    mode = "L" if modes <= {"L", "1", "I;16"} else "RGB"
    (height, width), *more = sorted(sizes)
    if not more and max(height, width) <= SIDE and height % step == width % step == 0:
        return {"mode": mode, "shape": [height, width]}
    return {"mode": mode, "shape": [SIDE, SIDE], "fit": "stretch"}


def _values(found: Found, masks: list[str]) -> list[int]:
    """What stands in masks, by some of them."""
    values: set[int] = set()
    for content in found.contents(masks[:: max(1, len(masks) // OPENED)]):
        with Image.open(io.BytesIO(content)) as image:
            if len(image.getbands()) > 1:
                return []
            values |= set(np.unique(np.asarray(image)).tolist())
    return sorted(values) if len(values) <= FEW else []


def _file_column(seen: look.Look, names: list[str]) -> str:
    """The column that names pictures, by most of its fields."""
    known = {
        form for name in names for path in [PurePosixPath(name)] for form in (name, path.name, path.stem)
    }
    shares = {name: seen.raw[name].astype(str).isin(known).mean() for name in seen.names}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < 0.5:
        raise EvermodelError(f"no column of the table names the pictures; it has {', '.join(seen.names)}")
    return best


def _told(shown: Values) -> list[str]:
    height, width = shown["shape"]
    fitted = f", to which all are stretched (fit: {shown['fit']})" if "fit" in shown else ""
    return [f"mode {shown['mode']}, {height} × {width} pixels{fitted}"]


def _others(found: Found, names: list[str]) -> list[str]:
    others = [name for name in found.names if name not in set(names) and not name.lower().endswith(TABLES)]
    unread = [name for name in others if name.lower().endswith(UNREAD)]
    others = [name for name in others if name not in unread]
    return [
        *([f"no pictures, and left out: {doubts.listed(others)}"] if others else []),
        *([f"left out until they are converted to JPEG: {doubts.listed(unread)}"] if unread else []),
    ]
