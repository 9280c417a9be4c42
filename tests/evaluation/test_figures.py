import io
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evermodel.core.columns import Column
from evermodel.evaluation import figures
from tests.specs import make_spec


@pytest.fixture
def history():
    return pd.DataFrame(
        {"epoch": [1, 2], "loss": [2.0, 1.0], "mae": [1, 0.5], "val_loss": [3.0, 2.0], "val_mae": [2, 1]}
    )


@pytest.fixture
def worst():
    return pd.DataFrame(
        {"true": ["cat"] * 3, "predicted": ["dog"] * 3, "log loss": [3.14159, 2.0, 1.0]}, [9, 4, 2]
    )


def words(figure):
    """All that is written on a figure."""
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


def table(figure):
    """The lines of the table on a figure, the head first, and what stands in each."""
    return [line.split() for line in figure.texts[-1].get_text().splitlines()]


def test_a_learning_curve_has_a_panel_for_each_measure_with_both_curves(history):
    panels = figures.learning_curve(history).axes
    assert [panel.get_ylabel() for panel in panels] == ["loss", "mae"]
    assert {panel.get_xlabel() for panel in panels} == {"epoch"}
    assert [line.get_ydata().tolist() for line in panels[0].lines] == [[2, 1], [3, 2]]


def test_the_same_figure_gives_the_same_bytes_whatever_the_machine_prefers(history):
    def draw():
        with figures.look():
            return figures.png(figures.learning_curve(history), "an_experiment", make_spec())

    first = draw()
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.dpi": 30}):
        assert draw() == first


def test_a_picture_holds_neither_date_nor_version(history):
    image = Image.open(io.BytesIO(figures.png(figures.learning_curve(history), "an_experiment", make_spec())))
    assert image.format == "PNG"
    assert set(image.info) <= {"dpi"}


def test_drawing_leaves_the_global_state_as_it_was(history):
    before = dict(matplotlib.rcParams)
    with figures.look():
        figures.png(figures.learning_curve(history), "an_experiment", make_spec())
    assert dict(matplotlib.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize("made", [True, False])
def test_a_picture_says_its_experiment_and_whether_its_data_are_made(history, made):
    figure = figures.learning_curve(history)
    figures.png(figure, "an_experiment", make_spec(synthetic=made))
    assert "an_experiment: learning curve" in words(figure)
    assert any("synthetic data" in text for text in words(figure)) == made


@pytest.mark.parametrize("channels", [1, 3])
def test_the_worst_images_stand_under_what_is_said_of_them(worst, channels):
    images = np.arange(3 * 16 * channels).reshape(3, 4, 4, channels).astype(np.uint8)
    figure = figures.worst_images(images, worst)
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn][:1] == ["true cat\npredicted dog\nlog loss 3.142"]
    assert np.array_equal(drawn[2].images[0].get_array(), images[2].squeeze())


def test_the_worst_rows_are_a_table_of_columns_and_what_is_said_of_them(worst):
    rows = pd.DataFrame(np.arange(6, dtype=float).reshape(3, 2), columns=["a", "b"])
    written = table(figures.worst_rows(rows, make_spec().columns, worst))
    assert written[0] == ["a", "b", "true", "predicted", "log", "loss"]
    assert written[1] == ["0", "1", "cat", "dog", "3.142"]


def test_a_wide_table_is_cut(worst):
    columns = [Column(name=f"c{number}") for number in range(40)]
    rows = pd.DataFrame(np.zeros((3, 40)), columns=[one.name for one in columns])
    written = table(figures.worst_rows(rows, columns, worst))
    assert written[0] == [*rows.columns[:16], "true", "predicted", "log", "loss"]


def test_times_are_dates_texts_are_short_and_gaps_are_empty(worst):
    columns = [Column(name="when", kind="time"), Column(name="said", kind="text"), Column(name="n")]
    said = pd.Series(["word " * 99, None, "short"], dtype=object)
    rows = pd.DataFrame({"when": [86_400.0, np.nan, 0.0], "said": said, "n": [1.5, np.nan, 2]})
    written = [" ".join(line) for line in table(figures.worst_rows(rows, columns, worst))]
    assert written[1].startswith("1970-01-02 00:00 word word word word … 1.5 cat")
    assert written[2].startswith("NaN")
    assert written[3].startswith("1970-01-01 00:00 short 2 ")


def test_the_worst_texts_are_cut_short_and_mean_nothing_to_markdown(worst):
    texts = np.array(["# head\n```\n<b>", "word " * 61, "short"], dtype=object)
    page = figures.worst_texts(texts, "an_experiment", make_spec(), worst)
    assert page.startswith("# an_experiment: worst of the test texts\n\nmade (sample) · synthetic data\n")
    assert "## 1. true cat, predicted dog, log loss 3.142\n\n    # head ``` <b>\n" in page
    assert page.count("word") == 60
    assert page.count("…") == 1


def test_a_confusion_matrix_of_many_classes_has_shades_but_no_counts():
    axes = figures.confusion(np.eye(40, dtype=int) * 7, [f"class {number}" for number in range(40)]).axes[0]
    assert not any(text.get_text() for text in axes.texts)
    assert axes.collections[0].get_array().max() == 1


def test_a_calibration_curve_tells_how_often_it_happened_in_each_bin():
    curve, counts = figures.calibration(
        np.array([0, 1, 1, 1]), np.array([0.25, 0.25, 0.95, 0.95]), "true"
    ).axes
    assert sorted(map(tuple, curve.lines[-1].get_xydata().round(3).tolist())) == [(0.25, 0.5), (0.95, 1)]
    assert sum(bar.get_height() for bar in counts.patches) == 4


def test_histograms_share_their_bins_and_each_fills_one():
    figure = figures.histograms("h", {"a": np.arange(5.0), "b": np.array([9.0])}, "size", "share")
    polygons = [patch.get_xy() for patch in figure.axes[0].patches]
    assert np.array_equal(polygons[0][:, 0], polygons[1][:, 0])
    assert [polygon[:, 1].max() for polygon in polygons] == [pytest.approx(0.2), 1]
    assert {"a", "b", "size", "share"} <= set(words(figure))


def test_examples_are_spread_from_the_smallest_error_to_the_largest():
    errors = np.array([5.0, 1, 4, 2, 3])
    assert figures.spread(errors, 3).tolist() == [1, 4, 0]
    assert figures.spread(errors, 9).tolist() == [1, 3, 4, 2, 0]
    assert figures.spread(errors[:1], 3).tolist() == [0]


def test_a_gallery_has_names_above_its_columns_and_a_caption_left_of_each_row():
    rows = [[np.full((2, 2, 1), shade, np.uint8) for shade in line] for line in ((1, 2, 3), (4, 5, 6))]
    axes = figures.gallery("g", rows, ["a", "b", "c"], ["first", "second"]).axes
    assert [panel.get_images()[0].get_array().max() for panel in axes] == [1, 2, 3, 4, 5, 6]
    assert [panel.get_title() for panel in axes] == ["a", "b", "c", "", "", ""]
    assert [panel.get_ylabel() for panel in axes] == ["first", "", "", "second", "", ""]


def test_a_roc_curve_has_a_line_for_each_who_gave_scores():
    truth, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.3, 0.8])
    axes = figures.roc(truth, {"ours": scores, "baseline": np.zeros(4)}, ["cat", "dog"]).axes[0]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["ours (AUC = 0.75)", "baseline (AUC = 0.50)"]
    assert axes.get_xlabel() == "share of cat taken for dog"
