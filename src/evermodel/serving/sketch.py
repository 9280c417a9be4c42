"""A sheet to draw on: white on black, as the digits of MNIST are."""

import base64
import binascii
import io
from typing import Any

from gradio import HTML
from PIL import Image

from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import image_files

SIDE = 280  # pixels
INK = 20 / 28  # of the side of an image, as in MNIST (LeCun et al. 1998)
DATA = "data:image/png;base64,"
# Gradio's own editor draws by WebGL, and decodes whatever it is sent before anybody can refuse it.
PEN = """
const sheet = element.querySelector("canvas"), pen = sheet.getContext("2d");
const clear = () => pen.fillRect(0, 0, sheet.width, sheet.height);
const draw = (event) => {
  if (!event.buttons) return;
  pen.lineTo(event.offsetX, event.offsetY);
  pen.stroke();
};
Object.assign(pen, {strokeStyle: "white", lineWidth: 26, lineCap: "round", lineJoin: "round"});
sheet.onpointerdown = (event) => { pen.beginPath(); sheet.setPointerCapture(event.pointerId); draw(event); };
sheet.onpointermove = draw;
element.querySelector("button").onclick = clear;
clear();
"""


def sheet(name: str) -> tuple[HTML, str]:
    """An empty sheet, and the JavaScript that reads it as a PNG in a data URL."""
    canvas = f'<canvas id="sheet-{name}" width="{SIDE}" height="{SIDE}" style="touch-action: none"></canvas>'
    read = f'() => document.getElementById("sheet-{name}").toDataURL()'
    return HTML(f"{canvas}<br><button>Clear</button>", js_on_load=PEN), read


def png(drawing: Any) -> bytes:
    """The PNG of a drawing, as large within its image as MNIST's digits are.

    drawing: a PNG as a data URL. Raises EvermodelError if it is none, or nothing was drawn.
    """
    try:
        content = base64.b64decode(str(drawing).removeprefix(DATA), validate=True)
        image = image_files.decode(io.BytesIO(content), "L")
    except (binascii.Error, UnusableError):
        raise EvermodelError("the drawing is not a PNG; draw it on the sheet") from None
    if (box := image.getbbox()) is None:
        raise EvermodelError("the sheet is empty; draw something on it")
    written = io.BytesIO()
    _centred(image.crop(box)).save(written, "PNG")
    return written.getvalue()


def _centred(ink: Image.Image) -> Image.Image:
    side = round(max(ink.size) / INK)
    paper = Image.new("L", (side, side))
    paper.paste(ink, ((side - ink.width) // 2, (side - ink.height) // 2))
    return paper
