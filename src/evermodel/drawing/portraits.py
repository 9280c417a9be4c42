"""Synthetic faces: one person, drawn from measures, in one photograph."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from evermodel.core.data import Array
from evermodel.drawing.canvas import Canvas, Colour, exposed, mixed, shaded

SKINS: tuple[Colour, ...] = ((238, 200, 176), (110, 74, 54), (236, 204, 160), (176, 126, 90), (208, 164, 128))
HAIRS: tuple[Colour, ...] = ((28, 22, 20), (62, 40, 26), (108, 70, 40), (176, 132, 76), (150, 70, 34))
EYES: tuple[Colour, ...] = ((60, 36, 20), (84, 60, 34), (70, 110, 140), (80, 120, 80))
GRAY: Colour = (196, 194, 192)
LIGHT: Colour = (255, 245, 230)
DARK: Colour = (24, 16, 16)
ADULT = 16  # years: from here on the proportions of a face no longer change

Random = np.random.RandomState


@dataclass(frozen=True)
class Person:
    """What stays the same from image to image; lengths in half heights of the face."""

    age: int
    woman: bool
    skin: Colour
    hair: Colour
    eyes: Colour
    length: float  # where the hair beside the face ends, downwards from the middle
    line: float  # where the hair over the forehead ends
    beard: float  # how dense, 0 to 1
    glasses: bool
    width: float
    jaw: float
    gap: float  # from the middle to an eye
    eye: float
    brow: float
    slant: float  # of the brows
    nose: float
    nostrils: float
    mouth: float
    lips: float

    @property
    def child(self) -> float:
        """How childlike the proportions are: 1 at birth, 0 in an adult."""
        return max(0, 1 - self.age / ADULT)


@dataclass(frozen=True)
class Look:
    """What differs from image to image."""

    smile: float = 0  # 1: a broad one, -1: the corners of the mouth hang
    gape: float = 0  # how far the mouth is open, 0 to 1
    yaw: float = 0  # how far the face looks to the right, -1 to 1
    tilt: float = 0  # radians
    x: float = 0
    y: float = 0
    size: float = 0.8
    light: float = 1
    side: float = 0  # light from the right, -1 to 1
    noise: float = 5
    backdrop: Colour = (120, 130, 140)


def person(random: Random, age: int, woman: bool, origin: int) -> Person:
    """Somebody of that age and sex; origin: an index of SKINS."""
    gray = min(1, max(0, (age - 40 + random.uniform(-8, 8)) / 30))
    dark = origin in (1, 2, 3) or random.uniform() < 0.25
    bald = not woman and random.uniform() < (age - 35) / 60
    bearded = not woman and age > 18 and random.uniform() < 0.4
    return Person(
        age=age,
        woman=woman,
        skin=shaded(SKINS[origin], random.uniform(0.88, 1.06)),
        hair=mixed(HAIRS[random.randint(2 if dark else len(HAIRS))], GRAY, gray),
        eyes=EYES[random.randint(1 if dark else len(EYES))],
        length=random.uniform(0.4, 1.5) if woman and age > 3 else random.uniform(-0.5, 0.2) - 0.2 * bald,
        line=-1.02 if bald else random.uniform(-0.85, -0.4),
        beard=random.uniform(0.35, 0.9) if bearded else 0,
        glasses=random.uniform() < 0.1 + age / 250,
        width=random.uniform(0.68, 0.82) - 0.02 * woman,
        jaw=random.uniform(0.62, 0.8) - 0.08 * woman,
        gap=random.uniform(0.28, 0.36),
        eye=random.uniform(0.12, 0.15) + 0.012 * woman,
        brow=random.uniform(0.045, 0.075) - 0.022 * woman,
        slant=random.uniform(-0.05, 0.05),
        nose=random.uniform(0.26, 0.36),
        nostrils=random.uniform(0.09, 0.14) - 0.015 * woman,
        mouth=random.uniform(0.22, 0.3),
        lips=random.uniform(0.05, 0.08) + 0.025 * woman,
    )


def look(random: Random, smile: float, gape: float, loose: float, size: float) -> Look:
    """Any pose, light and backdrop. loose: how much poses differ, 0 to 1. size: of the head."""
    return Look(
        smile=smile, gape=gape, yaw=random.normal(0, 0.3 + 0.2 * loose), tilt=random.normal(0, 0.14 * loose),
        x=random.normal(0, 0.09 * loose), y=random.normal(0, 0.09 * loose),
        size=size * random.uniform(1 - 0.15 * loose, 1 + 0.15 * loose), light=random.uniform(0.7, 1.2),
        side=random.uniform(-0.4, 0.4), noise=random.uniform(2, 8),
        backdrop=tuple(random.uniform(30, 225, 3)),
    )  # fmt: skip


def photograph(who: Person, look: Look, random: Random, width: int, height: int, fine: int) -> Image.Image:
    """The person in one image, RGB. fine: how many times larger it is drawn."""
    canvas = Canvas.blank(width, height, look.backdrop, fine)
    head = canvas.at(look.x, look.y, look.size, turn=look.tilt)
    face = head.at(0.13 * look.yaw, 0.17 * who.child, 1 - 0.06 * abs(look.yaw))
    _behind(head, who)
    head.blob(_outline(who), who.skin)
    _skin(face, who, look)
    for side in (-1, 1):
        far = 1 - 0.2 * max(0, side * look.yaw)
        _eye(face.at(side * who.gap * far, -0.1, side * far, 1), who, look)
    _nose(face.at(0.07 * look.yaw, 0), who)
    _mouth(face.at(0.02 * look.yaw, 0.54 - 0.12 * who.child), who, look)
    _hair(head, who)
    if who.glasses:
        for side in (-1, 1):
            _glass(face.at(0, 0, side, 1), who)
    return exposed(canvas.finished(), random, look.light, look.side, look.noise)


def _both(*right: tuple[float, float]) -> Array:
    """A symmetrical closed outline from its right half, from top to bottom."""
    return np.array([*right, *((-x, y) for x, y in reversed(right))])


def _behind(head: Canvas, who: Person) -> None:
    """The hair that falls behind the head, ears, neck and clothes."""
    neck, wide = 0.36 + 0.08 * (not who.woman) - 0.1 * who.child, who.width + 0.2
    hair = _both((0.3, -1.25), (wide, -0.6), (wide, who.length), (0.3, who.length + 0.1))
    head.blob(hair, shaded(who.hair, 0.75))
    head.shape(_both((neck, 0.5), (neck + 0.05, 2)), shaded(who.skin, 0.78))
    cloth = mixed(who.hair, (90, 120, 190) if who.woman else (60, 90, 80), 0.8)
    head.blob(_both((neck, 1.15), (1.5, 1.5), (2, 3)), cloth)
    for side in (-1, 1):
        head.oval(side * (who.width + 0.02), 0.05, 0.11, 0.19, shaded(who.skin, 0.8))


def _outline(who: Person) -> Array:
    """The outline of the head."""
    width, chin = who.width + 0.07 * who.child, 1 - 0.1 * who.child
    jaw = (who.jaw + 0.12 * who.child) * width
    return _both((0.5 * width, -1.05), (width, -0.7), (width, 0.3), (jaw, 0.8 * chin), (0.3 * width, chin))


def _skin(face: Canvas, who: Person, look: Look) -> None:
    """Light and shade, red cheeks, beard and wrinkles."""
    dark = shaded(who.skin, 0.55)
    face.glow(0.3 if look.side > 0 else -0.3, -0.35, 0.45, 0.5, mixed(who.skin, LIGHT, 0.5), 0.4)
    for side in (-1, 1):
        face.glow(side * 0.42, 0.27, 0.24, 0.2, (214, 90, 80), 0.16 + 0.1 * max(0, look.smile))
        face.glow(side * who.gap, -0.12, 0.26, 0.2, dark, 0.35)
    if who.beard:
        beard = _both((0.1, 0.38), (who.width, 0.2), (who.jaw * who.width, 0.8), (0.2, 1))
        face.blob(beard, who.hair, who.beard)
    if (old := min(1, (who.age - 28) / 45)) > 0:
        for y in -0.5 + 0.11 * np.arange(1 + round(3 * old)):
            face.line([(-0.36, y), (0, y - 0.04), (0.36, y)], 0.018, dark, 0.6 * old)
        for side in (-1, 1):
            half = face.at(0, 0, side, 1)
            half.line([(0.16, 0.27), (0.28, 0.42), (0.34, 0.62)], 0.03, dark, 0.75 * old)
            bag = [(who.gap - 0.12, 0.04), (who.gap, 0.1), (who.gap + 0.13, 0.05)]
            half.line(bag, 0.025, dark, 0.65 * old)


def _eye(eye: Canvas, who: Person, look: Look) -> None:
    """The right eye and its brow, around the middle of the eye."""
    width = who.eye * (1 + 0.25 * who.child)
    height = width * (0.52 + 0.25 * who.child) * (1 - 0.3 * max(0, look.smile))
    eye.oval(0, 0, width, height, mixed((246, 244, 240), who.skin, 0.12))
    eye.oval(0, 0, 0.9 * height, 0.9 * height, who.eyes)
    eye.oval(0, 0, 0.5 * height, 0.5 * height, DARK)
    lid = [(-width, 0), (-0.5 * width, -height), (0.5 * width, -height), (width, -0.02)]
    eye.line(lid, 0.03 + 0.03 * who.woman, mixed(DARK, who.skin, 0.2))
    brow = [(-width - 0.03, -0.22 + who.slant), (0, -0.28), (width + 0.06, -0.2 - who.slant)]
    eye.line(brow, who.brow * (1 - 0.4 * who.child), shaded(who.hair, 0.8), 1 - 0.5 * who.child)


def _nose(nose: Canvas, who: Person) -> None:
    tip, wide = who.nose * (1 - 0.3 * who.child) - 0.02, who.nostrils * (1 - 0.2 * who.child)
    dark = shaded(who.skin, 0.6)
    nose.glow(0.07, tip - 0.2, 0.07, 0.25, mixed(who.skin, LIGHT, 0.7), 0.5)
    nose.glow(-0.1, tip - 0.14, 0.07, 0.25, dark, 0.4)
    wings = [(-wide, tip - 0.07), (-wide, tip), (0, tip + 0.04), (wide, tip), (wide, tip - 0.07)]
    nose.line(wings, 0.03, dark, 0.8)


def _mouth(mouth: Canvas, who: Person, look: Look) -> None:
    """Lips, what shows between them, and the folds that a smile makes."""
    smile = max(0, look.smile)
    wide = (who.mouth + 0.1 * smile - 0.05 * look.gape * (smile < 0.3)) * (1 - 0.25 * who.child)
    corner, lip, gape = -0.13 * look.smile, who.lips * (1 - 0.3 * smile), 0.2 * look.gape
    rose = mixed(shaded(who.skin, 0.8), (190, 40, 60), 0.75 if who.woman and who.age > 14 else 0.22)
    mouth.glow(0, gape + lip * 1.3 + 0.08, wide * 0.8, 0.08, shaded(who.skin, 0.6), 0.4)
    mouth.shape(_opening(wide, corner, -lip, gape + lip * 1.3), rose)
    mouth.shape(_opening(0.9 * wide, 0.9 * corner, 0, gape + 0.02), (70, 20, 24))
    mouth.shape(_opening(0.9 * wide, 0.9 * corner, 0, gape * (0.75 if smile > 0.3 else 0.3)), (240, 236, 226))
    for side in (-1, 1):
        fold = [(side * 0.17, -0.26), (side * (wide + 0.06), -0.16), (side * (wide + 0.09), 0.03)]
        mouth.line(fold, 0.03, shaded(who.skin, 0.62), 0.7 * smile)


def _opening(wide: float, corner: float, top: float, bottom: float) -> Array:
    """From corner to corner, with a curve above and one below."""
    x = np.linspace(-1, 1, 9)
    bend = np.concatenate([x, x[::-1]]) ** 2
    middle = np.repeat([top, bottom], 9)
    return np.column_stack([wide * np.concatenate([x, x[::-1]]), middle * (1 - bend) + corner * bend])


def _hair(head: Canvas, who: Person) -> None:
    """The hair over the forehead and beside it."""
    width = who.width + 0.07 * who.child
    if who.line > -1:
        top = _both((0, -1.3), (width, -1), (width + 0.1, -0.4), (0.8 * width, -0.5), (0.4, who.line))
        head.blob(top, who.hair)
        head.glow(0.25, -0.95, 0.35, 0.16, mixed(who.hair, LIGHT, 0.3), 0.4)
    for side in (-1, 1):
        lock = [(width - 0.08, -0.6), (width + 0.1, -0.8), (width + 0.15, who.length), (width, who.length)]
        head.at(0, 0, side, 1).blob(lock, who.hair)


def _glass(half: Canvas, who: Person) -> None:
    """The right glass and the frame on its right and left."""
    near, far = who.gap - 0.2, who.gap + 0.22
    half.line([(0, -0.16), (near, -0.14)], 0.035, DARK)
    half.line([(near, -0.24), (near, 0.08), (far, 0.08), (far, -0.24), (near, -0.24)], 0.035, DARK)
    half.line([(far, -0.16), (who.width + 0.03, -0.1)], 0.035, DARK)
