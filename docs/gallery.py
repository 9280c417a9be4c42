"""Write docs/gallery.md and its images from the figures of the checkout that is the current directory.

evermodel run && .venv/bin/python docs/gallery.py

One run of it renews the images of the checkout's profile; those of the other stay. Where faces, reviews and
photographs must not be published, synthetic ones are shown.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from evermodel.core import catalog, data, folders, project
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures
from evermodel.runs import determinism, recipe, saved

PAGE = Path(__file__).with_name("gallery.md")
IMAGES = Path(__file__).with_name("gallery")
LIMIT = 150_000  # bytes of an image
WIDTHS = range(1000, 300, -50)  # pixels, the widest that fits
LETTERS = 112  # in a line of a drawn text
HEAD = """\
# Gallery

Figures of real runs, each with the command that makes it; experiments/NAME/figures has them afterwards.
Synthetic data are shown where real faces, reviews or photographs may not be published, or are not at hand.
`.venv/bin/python docs/gallery.py` renews the page.
"""


@dataclass(frozen=True)
class Entry:
    """A figure of a report, or one drawn here, and the profile that it may be shown of."""

    experiment: str
    figure: str
    profile: str
    caption: str

    @property
    def file(self) -> str:
        """The name of the image on the page."""
        return f"{self.experiment}-{self.figure}.png"

    @property
    def drawn(self) -> "Callable[[str, Spec], Figure] | None":
        """What draws it here; None of a figure of a report."""
        return DRAWN.get((self.experiment, self.figure))

    @property
    def command(self) -> str:
        """What makes the figure."""
        switch = "--profile full " if self.profile == "full" else ""
        return f".venv/bin/evermodel run {switch}{self.experiment}"


ENTRIES = (
    Entry("boston_dnn", "predicted_true", "full", "Predicted and true prices."),
    Entry("stock_lstm", "forecast", "full", "Tomorrow's price, beside persistence: tomorrow is as today."),
    Entry("mnist_mlp", "worst", "full", "The digits that a dense network is most wrong about."),
    Entry("fashion_cnn", "confusion_matrix", "full", "Which garment is taken for which."),
    Entry("cifar_cnn", "confusion_matrix", "full", "Which thing is taken for which."),
    Entry("autoencoder", "images", "full", "Through 128 numbers and back, beside PCA with as many."),
    Entry("vae", "samples", "full", "Digits that nobody wrote, beside those of a Gaussian in PCA's space."),
    Entry("gan", "samples", "full", "Digits that a critic could not tell from real ones."),
    Entry("autoencoder_denoising", "images", "full", "The same network takes noise away."),
    Entry("autoencoder_anomaly", "suspects", "sample", "What it can't restore is odd."),
    Entry("unet", "overlays", "full", "Cells in electron micrographs: found, missed and wrongly marked."),
    Entry("colorization", "images", "sample", "Gray in, colour out, and the truth."),
    Entry("face_recognition", "neighbours", "sample", "People new to the model; framed: the same person."),
    Entry("face_smile", "worst", "sample", "The smiles that it is most wrong about."),
    Entry("age_gender", "groups", "sample", "Whom the model serves worse."),
    Entry("vgg16_features", "map", "sample", "Flowers where the features of a random VGG16 put them."),
    Entry("vgg16_transfer", "phases", "sample", "The head, then the last layers at a tenth of the rate."),
    Entry("lite0_features", "map", "full", "Flowers where a small network puts them that has seen ImageNet."),
    Entry(
        "text_to_image",
        "attention",
        "full",
        "What each patch of a drawing looked at: the words of its caption.",
    ),
    Entry("char_rnn", "passages", "sample", "Reviews that nobody wrote, beside those of 5-grams."),
    Entry(
        "imdb_transformer",
        "attention",
        "sample",
        "Where a Transformer looks: the darker, the more.",
    ),
)


def phases(name: str, spec: Spec) -> Figure:
    """The learning curve, with a line where fine-tuning begins."""
    history = pd.read_csv(folders.experiment(name) / "curves.csv")
    figure = figures.learning_curve(history.drop(columns="phase"))
    border = history.loc[history["phase"] == 2, "epoch"].min() - 0.5
    for panel in figure.axes:
        panel.axvline(border, color=figures.QUIET, linestyle="--", linewidth=1)
        panel.set_title("right of the line: fine-tuning", fontsize="small", color=figures.QUIET)
    return figure


def attention(name: str, spec: Spec) -> Figure:
    """The first test review, its words shaded by the attention that they get from all others."""
    determinism.fix(project.load().runtime)
    test = data.load_split(folders.prepared(spec.dataset), "test", "class")
    folder = folders.model(name)
    answer = float(saved.load(folder).predict(test.x[:1])[0, 0])
    words, weights = _attended(folder / saved.metadata(folder).file, test.x[:1])
    lines = len(" ".join(words)) / LETTERS
    figure = figures.page("attention of the words of a test review", 9, 1.4 + 0.25 * lines)
    axes = figure.subplots()
    _write(axes, words, (weights - weights.min()) / np.ptp(weights))
    told = f"It is {spec.classes[int(test.y[0])]}; the model: {spec.classes[1]} with probability {answer:.2f}"
    span = f"light to dark: {weights.min():.2f} to {weights.max():.2f} times an even share"
    axes.set_title(f"{told}; {span}", loc="left", fontsize="small", color=figures.QUIET)
    return figure


DRAWN: dict[tuple[str, str], Callable[[str, Spec], Figure]] = {
    ("vgg16_transfer", "phases"): phases,
    ("imdb_transformer", "attention"): attention,
}


def _attended(file: Path, texts: Array) -> tuple[list[str], Array]:
    """The words of one text as the model reads them, and the mean attention to each, 1 for an even share."""
    keras = determinism.keras()
    model = keras.saving.load_model(file, compile=False, safe_mode=True)
    reader, transformer = model.get_layer("text_vectorization"), model.get_layer("transformer")
    layer = transformer.get_layer("attention")
    encoder = keras.Model(model.input, model.operations[model.operations.index(transformer) - 1].output)
    numbers = encoder(keras.ops.convert_to_tensor(texts.astype(str)))
    embedded = keras.Model(transformer.input, layer.input[0])(numbers)
    _, scores = layer(embedded, embedded, return_attention_scores=True)
    row = keras.ops.convert_to_numpy(numbers)[0]
    words = [reader.get_vocabulary()[number] for number in row if number]
    shares = keras.ops.convert_to_numpy(scores)[0].mean(axis=(0, 1)) * len(row)
    return words, shares[: len(words)]


def _write(axes: Any, words: list[str], shades: Array) -> None:
    """Fill the axes with the words as a text, each on a ground of its shade (0 to 1)."""
    line = column = 0
    for word, shade in zip(words, shades, strict=True):
        line, column = (line + 1, 0) if column + len(word) > LETTERS else (line, column)
        ground = {"facecolor": figures.MODEL, "alpha": 0.75 * float(shade), "linewidth": 0, "pad": 1.5}
        axes.text(column, line, word, family="DejaVu Sans Mono", fontsize=9, va="center", bbox=ground)
        column += len(word) + 1
    axes.set(xlim=(0, LETTERS), ylim=(line + 0.7, -0.7))
    axes.set_axis_off()


def _image(entry: Entry) -> bytes:
    """The entry's image; EvermodelError if its report is missing, or of data that may not be shown."""
    file = folders.experiment(entry.experiment) / (
        "metrics.json" if entry.drawn else f"figures/{entry.figure}.png"
    )
    if not file.exists():
        raise EvermodelError(f"{file} is missing; run `{entry.command}`")
    chosen = recipe.load(entry.experiment, entry.profile)
    spec = data.load_spec(folders.prepared(chosen.dataset), catalog.target(chosen.task))
    if (spec.edition == "sample") != (entry.profile == "sample"):
        raise EvermodelError(f"{spec.dataset} is of the other profile; run `{entry.command}`")
    if entry.drawn:
        with figures.look():
            return figures.png(entry.drawn(entry.experiment, spec), entry.experiment, spec)
    return file.read_bytes()


def small(content: bytes) -> bytes:
    """The PNG with 256 colours, and as wide as fits into LIMIT bytes."""
    image = Image.open(BytesIO(content)).convert("RGB")
    for width in WIDTHS:
        narrow = ImageOps.contain(image, (width, image.height))
        buffer = BytesIO()
        narrow.quantize(dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
        if buffer.tell() <= LIMIT:
            return buffer.getvalue()
    raise EvermodelError(f"an image of {image.size} pixels does not fit into {LIMIT} bytes; narrow WIDTHS")


def page() -> str:
    """The page of all images that are there."""
    return "\n".join([HEAD, *(_section(entry) for entry in ENTRIES if (IMAGES / entry.file).exists())])


def _section(entry: Entry) -> str:
    origin = "synthetic data (profile sample)" if entry.profile == "sample" else "real data (profile full)"
    image = f"![{entry.experiment}: {entry.figure}](gallery/{entry.file})"
    return f"## {entry.experiment}\n\n{entry.caption}\n\n{image}\n\n`{entry.command}` · {origin}\n"


def main() -> int:
    """Renew the images of this checkout's profile, and the page; says what is missing."""
    IMAGES.mkdir(exist_ok=True)
    profile = project.load().profile
    missing = 0
    for entry in ENTRIES:
        if entry.profile != profile:
            continue
        try:
            (IMAGES / entry.file).write_bytes(small(_image(entry)))
        except EvermodelError as error:
            missing += 1
            print(f"gallery: {error}", file=sys.stderr)
    PAGE.write_text(page(), encoding="utf-8")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
