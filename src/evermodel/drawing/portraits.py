"""Made faces: one person, drawn from measures, in one photograph."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from evermodel.drawing.canvas import Canvas, Colour, Points, exposed, mixed, shaded

SKINS: tuple[Colour, ...] = ((238, 200, 176), (110, 74, 54), (236, 204, 160), (176, 126, 90), (208, 164, 128))
HAIRS: tuple[Colour, ...] = ((28, 22, 20), (62, 40, 26), (108, 70, 40), (176, 132, 76), (150, 70, 34))
EYES: tuple[Colour, ...] = ((60, 36, 20), (84, 60, 34), (70, 110, 140), (80, 120, 80))
GRAY: Colour = (196, 194, 192)
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
    style: str  # short, crop, parted, fringe, curly, bald, long, bob or bun
    beard: float  # how dense, 0 to 1
    glasses: bool
    freckles: tuple[tuple[float, float], ...]
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
    blink: float = 0  # 1: the eyes are closed
    backdrop: Colour = (120, 130, 140)


def person(random: Random, age: int, woman: bool, origin: int) -> Person:
    """Somebody of that age and sex; origin: an index of SKINS."""
    styles = (
        ["long", "bob", "bun", "fringe", "short"] if woman else ["short", "crop", "parted", "curly", "long"]
    )
    if age < 4:
        styles = ["crop", "parted"]
    bald = not woman and random.uniform() < (age - 35) / 60
    gray = min(1, max(0, (age - 40 + random.uniform(-8, 8)) / 30))
    dark = origin in (1, 2, 3) or random.uniform() < 0.25
    hair = HAIRS[random.randint(2 if dark else len(HAIRS))]
    bearded = not woman and age > 18 and random.uniform() < 0.4
    spots = random.uniform((-0.5, 0.05), (0.5, 0.4), (14 * (random.uniform() < 0.15), 2))
    return Person(
        age=age,
        woman=woman,
        hair=mixed(hair, GRAY, gray),
        eyes=EYES[random.randint(1 if dark else len(EYES))],
        skin=shaded(SKINS[origin], random.uniform(0.88, 1.06)),
        style="bald" if bald else styles[random.randint(len(styles))],
        beard=random.uniform(0.35, 0.9) if bearded else 0,
        glasses=random.uniform() < 0.1 + age / 250,
        freckles=tuple((x, y) for x, y in spots),
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


def photograph(who: Person, look: Look, random: Random, width: int, height: int, fine: int) -> Image.Image:
    """The person in one image, RGB. fine: how many times larger it is drawn."""
    canvas = Canvas.blank(width, height, look.backdrop, fine)
    canvas.fade(-1.5, 1.5, shaded(look.backdrop, 1.15), shaded(look.backdrop, 0.8), 8)
    head = canvas.at(look.x, look.y, look.size, turn=look.tilt)
    _behind(head, who)
    _head(head, who, look)
    face = head.at(0.13 * look.yaw, 0.17 * _child(who), 1 - 0.06 * abs(look.yaw))
    _skin(face, who, look)
    for side in (-1, 1):
        far = 1 - 0.2 * max(0, side * look.yaw)
        _eye(face.at(side * who.gap * far, -0.1, side * far, 1), who, look)
    _nose(face.at(0.07 * look.yaw, 0), who)
    _mouth(face.at(0.02 * look.yaw, 0.54 - 0.12 * _child(who)), who, look)
    _hair(head, who)
    if who.glasses:
        _glasses(face, who)
    return exposed(canvas.finished(), random, look.light, look.side, look.noise)


def _child(who: Person) -> float:
    """How childlike the proportions are: 1 at birth, 0 in an adult."""
    return max(0, 1 - who.age / ADULT)


def _outline(right: Points) -> Points:
    """A symmetrical closed curve from its right half, from top to bottom, both ends on the axis."""
    return [*right, *((-x, y) for x, y in reversed(right[1:-1]))]


def _behind(head: Canvas, who: Person) -> None:
    """Neck, clothes, and the hair that falls behind them."""
    width, hair = who.width, shaded(who.hair, 0.75)
    if who.style == "long":
        head.blob(
            _outline([(0, -1.2), (width + 0.15, -0.6), (width + 0.22, 0.5), (width + 0.12, 1.4), (0, 1.5)]),
            hair,
        )
    elif who.style in ("bob", "fringe"):
        head.blob(
            _outline([(0, -1.2), (width + 0.16, -0.6), (width + 0.2, 0.5), (width, 0.85), (0, 0.8)]), hair
        )
    elif who.style == "bun":
        head.oval(0, -1.22, 0.32, 0.28, hair)
    neck = 0.36 + 0.08 * (not who.woman) - 0.1 * _child(who)
    cloth = mixed(who.hair, (90, 120, 190) if who.woman else (60, 90, 80), 0.8)
    head.shape([(-neck, 0.5), (neck, 0.5), (neck + 0.05, 1.6), (-neck - 0.05, 1.6)], shaded(who.skin, 0.78))
    head.blob([(-2, 2.4), (-1.4, 1.45), (-neck, 1.2), (0, 1.5), (neck, 1.2), (1.4, 1.45), (2, 2.4)], cloth)


def _head(head: Canvas, who: Person, look: Look) -> None:
    child, width = _child(who), who.width + 0.07 * _child(who)
    chin = 1 - 0.1 * child
    for side in (-1, 1):
        ear = head.at(side * (width + 0.02 - 0.05 * side * look.yaw), 0.05, 1)
        ear.oval(0, 0, 0.11, 0.19, shaded(who.skin, 0.86))
        ear.oval(0, 0, 0.06, 0.12, shaded(who.skin, 0.72))
    jaw = who.jaw + 0.12 * child
    right = [(0, -1.05), (0.6 * width, -0.97), (0.95 * width, -0.6), (width, -0.1), (0.96 * width, 0.3),
             (jaw * width, 0.7 * chin), (0.38 * width, 0.95 * chin), (0, chin)]  # fmt: skip
    head.blob(_outline(right), who.skin)


def _skin(face: Canvas, who: Person, look: Look) -> None:
    """Light and shade, red cheeks, beard, freckles and wrinkles."""
    light, dark = mixed(who.skin, (255, 245, 230), 0.5), shaded(who.skin, 0.55)
    face.glow(0.3 * (1 if look.side > 0 else -1), -0.35, 0.45, 0.5, light, 0.4)
    for side in (-1, 1):
        face.glow(side * (who.width - 0.08), 0.25, 0.2, 0.6, dark, 0.3)
        face.glow(side * 0.42, 0.27, 0.24, 0.2, (214, 90, 80), 0.16 + 0.1 * max(0, look.smile))
        face.glow(side * who.gap, -0.12, 0.26, 0.2, dark, 0.35)
    if who.beard:
        _beard(face, who)
    for x, y in who.freckles:
        face.oval(x, y, 0.016, 0.016, shaded(who.skin, 0.6), 0.7)
    _wrinkles(face, who, shaded(who.skin, 0.55))


def _beard(face: Canvas, who: Person) -> None:
    width = who.width
    right = [(0, 0.36), (0.3, 0.4), (0.55, 0.36), (width * 0.93, 0.12), (width * 0.92, 0.4),
             (who.jaw * width, 0.72), (0.38 * width, 0.96), (0, 1.01)]  # fmt: skip
    face.blob(_outline(right), shaded(who.hair, 0.9), who.beard)


def _wrinkles(face: Canvas, who: Person, dark: Colour) -> None:
    old = min(1, max(0, (who.age - 28) / 45))
    if not old:
        return
    for row in range(1 + round(3 * old)):
        y = -0.62 + 0.11 * row
        face.line(
            [(-0.36, y + 0.02), (-0.15, y - 0.02), (0.15, y - 0.02), (0.36, y + 0.02)], 0.018, dark, 0.6 * old
        )
    for side in (-1, 1):
        half = face.at(0, 0, side, 1)
        half.line([(0.16, 0.27), (0.28, 0.42), (0.34, 0.62)], 0.03, dark, 0.75 * old)
        half.line([(who.gap - 0.12, 0.04), (who.gap, 0.1), (who.gap + 0.13, 0.05)], 0.025, dark, 0.65 * old)
        for ray in (-0.08, 0, 0.08):
            start = who.gap + 0.17, -0.08 + 0.4 * ray
            half.line([start, (start[0] + 0.13, start[1] + ray)], 0.015, dark, 0.7 * old)
        if old > 0.5:
            half.line([(0.3, 0.75), (0.38, 0.83), (0.36, 0.92)], 0.025, dark, 0.6 * old)
            half.line([(0.45, 0.3), (0.5, 0.5), (0.47, 0.68)], 0.018, dark, 0.5 * old)


def _eye(eye: Canvas, who: Person, look: Look) -> None:
    """The right eye and its brow, around the middle of the eye."""
    child = _child(who)
    width = who.eye * (1 + 0.25 * child)
    height = width * (0.52 + 0.25 * child) * (1 - 0.3 * max(0, look.smile)) * (1 - 0.8 * look.blink)
    lid = [(-width, 0.01), (-0.4 * width, -height), (0.4 * width, -height), (width, -0.02)]
    white = mixed((246, 244, 240), who.skin, 0.12)
    eye.blob([*lid, (0.4 * width, height * 0.75), (-0.4 * width, height * 0.8)], white)
    iris = min(height * 0.95, width * 0.52)
    eye.oval(0, 0, iris, iris, who.eyes)
    eye.oval(0, 0, iris * 0.55, iris * 0.55, DARK)
    eye.oval(0.3 * iris, -0.35 * iris, iris * 0.25, iris * 0.25, (255, 255, 255))
    eye.line(lid, 0.035 + 0.02 * who.woman, mixed(DARK, who.skin, 0.1 if who.woman else 0.3))
    if who.woman and who.age > 12:
        for x in (0.55, 0.85, 1.1):
            root = x * width, -height * (1.2 - 0.8 * x)
            eye.line([root, (root[0] + 0.05, root[1] - 0.06)], 0.02, DARK)
    y = -0.22 - 0.03 * look.smile * (look.smile > 0)
    brow = [(-width - 0.03, y + who.slant), (0, y - 0.06), (width + 0.06, y + 0.02 - who.slant)]
    eye.line(brow, who.brow * (1 - 0.4 * child), shaded(who.hair, 0.8), 1 - 0.5 * child)


def _nose(nose: Canvas, who: Person) -> None:
    child = _child(who)
    tip, wide = who.nose * (1 - 0.3 * child) - 0.02, who.nostrils * (1 - 0.2 * child)
    dark = shaded(who.skin, 0.6)
    nose.glow(0.07, tip - 0.2, 0.07, 0.25, mixed(who.skin, (255, 245, 230), 0.7), 0.5)
    nose.glow(-0.1, tip - 0.14, 0.07, 0.25, dark, 0.4)
    nose.glow(0, tip + 0.04, wide + 0.06, 0.08, dark, 0.5)
    nose.line([(-wide, tip - 0.07), (-wide - 0.02, tip), (-wide * 0.5, tip + 0.03)], 0.03, dark, 0.8)
    nose.line([(wide, tip - 0.07), (wide + 0.02, tip), (wide * 0.5, tip + 0.03)], 0.03, dark, 0.8)
    for side in (-1, 1):
        nose.oval(side * wide * 0.5, tip + 0.02, 0.032, 0.02, shaded(who.skin, 0.3))


def _mouth(mouth: Canvas, who: Person, look: Look) -> None:
    """Lips, what shows between them, and the folds that a smile makes."""
    smile, child = look.smile, _child(who)
    wide = (who.mouth + 0.1 * max(0, smile) - 0.07 * look.gape * (smile < 0.3)) * (1 - 0.25 * child)
    corner, lip = -0.13 * smile, who.lips * (1 - 0.3 * max(0, smile))
    gape = 0.2 * look.gape
    rose = mixed(shaded(who.skin, 0.8), (190, 50, 64), 0.55 if who.woman and who.age > 14 else 0.22)
    upper = [
        (-wide, corner),
        (-0.35 * wide, -lip * 0.95),
        (0, -lip * 0.7),
        (0.35 * wide, -lip * 0.95),
        (wide, corner),
    ]
    lower = [
        (0.5 * wide, corner / 3 + gape + lip),
        (0, gape + lip * 1.3),
        (-0.5 * wide, corner / 3 + gape + lip),
    ]
    mouth.glow(0, gape + lip * 1.3 + 0.08, wide * 0.8, 0.08, shaded(who.skin, 0.6), 0.4)
    mouth.blob([*upper, *lower], rose)
    top, bottom = [(-wide * 0.9, corner * 0.9), (0, 0.0), (wide * 0.9, corner * 0.9)], gape
    if look.gape > 0.1:
        mouth.blob(
            [*top, (0.5 * wide, corner / 3 + bottom), (0, bottom), (-0.5 * wide, corner / 3 + bottom)],
            (70, 20, 24),
        )
        teeth = 0.75 * bottom if smile > 0.3 else 0.3 * bottom
        mouth.blob(
            [*top, (0.45 * wide, corner / 3 + teeth), (0, teeth), (-0.45 * wide, corner / 3 + teeth)],
            (240, 236, 226),
        )
    else:
        mouth.line(top, 0.028, shaded(rose, 0.5))
    for side in (-1, 1):
        fold = mouth.at(0, 0, side, 1)
        fold.glow(wide + 0.02, corner, 0.06, 0.06, shaded(who.skin, 0.55), 0.5)
        if smile > 0.3:
            crease = [(0.17, -0.26), (wide + 0.06, -0.16), (wide + 0.09, 0.03)]
            fold.line(crease, 0.03, shaded(who.skin, 0.62), 0.7 * smile)


def _hair(head: Canvas, who: Person) -> None:
    """The hair over the forehead and beside it."""
    width = who.width + 0.07 * _child(who)
    bright = mixed(who.hair, (255, 240, 220), 0.25)
    if who.style == "bald":
        for side in (-1, 1):
            half = head.at(0, 0, side, 1)
            half.blob(
                [(width * 0.86, -0.55), (width + 0.08, -0.45), (width + 0.08, 0), (width - 0.04, 0)], who.hair
            )
        head.glow(0.1, -0.85, 0.35, 0.2, (255, 250, 240), 0.35)
        return
    if who.style == "curly":
        for step in range(13):
            angle = math.pi * (1 + step / 12)
            head.oval(
                math.cos(angle) * width,
                math.sin(angle) * 0.75 - 0.3,
                0.24,
                0.24,
                shaded(who.hair, 0.9 + 0.1 * (step % 2)),
            )
    head.blob(_cap(who.style, width), who.hair)
    head.glow(0.25, -0.95, 0.35, 0.16, bright, 0.4)
    if who.style in ("long", "bob", "fringe"):
        for side in (-1, 1):
            lock = head.at(0, 0, side, 1)
            lock.blob(
                [
                    (0.45, -0.95),
                    (width + 0.13, -0.5),
                    (width + 0.2, 0.3),
                    (width + 0.06, 0.7),
                    (width - 0.02, 0.2),
                    (width - 0.08, -0.4),
                ],
                who.hair,
            )


def _cap(style: str, width: float) -> Points:
    """The outline of the hair on top of the head, clockwise from the left ear."""
    ear, top = {"crop": (-0.35, -1.1), "short": (-0.15, -1.2)}.get(style, (-0.2, -1.2))
    over = [
        (-width - 0.05, ear),
        (-width - 0.08, -0.6),
        (-0.6 * width, -1.08),
        (0, top),
        (0.6 * width, -1.08),
        (width + 0.08, -0.6),
        (width + 0.05, ear),
    ]
    line: dict[str, Points] = {
        "fringe": [(width * 0.9, -0.3), (0.3, -0.36), (0, -0.4), (-0.3, -0.36), (-width * 0.9, -0.3)],
        "parted": [(width * 0.92, -0.5), (0.4, -0.62), (-0.2, -0.84), (-0.5, -0.62), (-width * 0.92, -0.5)],
        "bun": [(width * 0.94, -0.5), (0.4, -0.8), (0, -0.9), (-0.4, -0.8), (-width * 0.94, -0.5)],
        "crop": [(width * 0.93, -0.5), (0.45, -0.78), (0, -0.82), (-0.45, -0.78), (-width * 0.93, -0.5)],
    }
    plain = [(width * 0.9, -0.5), (0.45, -0.66), (0.1, -0.74), (-0.45, -0.6), (-width * 0.9, -0.5)]
    return [*over, *line.get(style, plain)]


def _glasses(face: Canvas, who: Person) -> None:
    frame = (30, 26, 28)
    for side in (-1, 1):
        half = face.at(0, 0, side, 1)
        near, far = who.gap - 0.2, who.gap + 0.22
        rim = [
            (near, -0.22),
            (far, -0.24),
            (far + 0.01, 0),
            (far - 0.08, 0.1),
            (near + 0.06, 0.1),
            (near - 0.01, 0),
        ]
        half.blob(rim, (240, 248, 255), 0.13)
        half.line([*rim, rim[0]], 0.035, frame)
        half.line([(far, -0.16), (who.width + 0.03, -0.1)], 0.035, frame)
    face.line([(0.2 - who.gap, -0.12), (0, -0.16), (who.gap - 0.2, -0.12)], 0.035, frame)
