import numpy as np
import pandas as pd
import pytest

from evermodel.core.columns import Column
from evermodel.core.generation import ALPHABET
from evermodel.preparing.words import count, ranked
from evermodel.runs.network import compiled
from evermodel.runs.recipe import Text, Train
from evermodel.training import preprocessing
from tests.specs import make_spec

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
RECIPE = Train(optimizer="adam", learning_rate=0.1, batch_size=1, epochs=1)
REVIEWS = [
    "It's GOOD -- really, really good!",
    "Bad.\tBad\n\nbad: don't (ever) watch it; 2/10 [sic] {x} ^_^ ~`",
    "Ünïcødé ÉTÉ été 日本 🎉 non\u00a0breaking\u2003wide\u0085next\x1funit",
    'back\\slash <br /> "quoted" a_b c-d e+f g=h @home #1 $5 50% &c *',
    "",
]


def columns(mean, variance):
    """Columns of numbers with these moments, "a" and so on."""
    moments = zip("abc", mean, variance, strict=False)
    return tuple(Column(name=name, mean=mean, variance=variance) for name, mean, variance in moments)


TWO = columns((10.0, -1.0), (4.0, 0.25))


@pytest.fixture
def encode(keras):
    """A function from examples to what the encoder of their spec makes of them."""

    def encoded(described, x, text=None, training=False, **train):
        asked = RECIPE.model_copy(update=train | {"text": text or Text()})
        keras.config.set_dtype_policy(asked.precision)
        encoder = preprocessing.encoder(described, asked)
        result = keras.ops.convert_to_numpy(encoder(x, training=training))
        assert encoder.output_shape[1:] == result.shape[1:]
        assert not encoder.trainable_weights
        return result

    yield encoded
    keras.config.set_dtype_policy("float32")


def words(*vocabulary):
    return make_spec("text", vocabulary=vocabulary)


def texts(*values):
    return np.array(values, dtype=object)


def test_a_table_is_standardised_with_the_training_rows_statistics(encode):
    table = make_spec("table", input_shape=(2,), columns=TWO)
    result = encode(table, np.array([[10.0, -1.0], [14.0, -2.0]]))
    assert result == pytest.approx(np.array([[0, 0], [2, -2]]))


def test_one_row_alone_becomes_what_it_becomes_among_others(encode):
    table = make_spec("table", input_shape=(2,), columns=TWO)
    rows = np.array([[14.0, -2.0], [7.0, 3.0]])
    alone = encode(table, rows[:1])
    assert alone == pytest.approx(np.array([[2, -2]])), "its own mean would make zeros of it"
    assert alone[0] == pytest.approx(encode(table, rows)[0])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("kind", "shape"), [("table", (3,)), ("series", (1, 3))], ids=["a table", "a series"]
)
def test_a_column_that_never_varied_tells_nothing_whatever_it_is_later(encode, kind, shape, precision):
    """Also one whose variance is no 0, but how a sum of its values was rounded."""
    constant = columns((3.0, 0.0, 1e9 + 0.1), (0.0, 0.0, 1e-15))
    rows = np.array([[3.0, 0.0, 1e9 + 0.1], [-19.0, 1e300, 0.0]]).reshape(2, *shape)
    result = encode(make_spec(kind, input_shape=shape, columns=constant), rows, precision=precision)
    assert (result == 0).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_column_far_from_0_keeps_its_digits(encode, precision):
    """A time stamp, a number of an order, and one whose variance no 16 bits hold."""
    far = make_spec(input_shape=(3,), columns=columns((1.7e9, 1e12, 0.0), (1e4, 2500.0, 1e12)))
    rows = np.array([[1.7e9 + 137, 1e12 - 75, 2e6], [1.7e9 - 0.5, 1e12, -1e6]])
    wanted = np.array([[1.37, -1.5, 2], [-0.005, 0, -1]])
    assert encode(far, rows, precision=precision) == pytest.approx(wanted, rel=1e-3)


def test_pixels_become_shares_of_white(encode):
    image = np.array([0, 51, 255, 1], dtype=np.uint8).reshape(1, 2, 2, 1)
    result = encode(make_spec("images", input_shape=(2, 2, 1)), image)
    assert result.ravel() == pytest.approx([0, 0.2, 1, 1 / 255])
    assert result.shape == (1, 2, 2, 1)


@pytest.mark.parametrize("shape", [(2, 20, 12, 3), (2, 4, 5, 1)])
def test_images_get_the_size_that_params_say(encode, shape):
    x = np.full(shape, 51, np.uint8)
    result = encode(make_spec("images", input_shape=shape[1:]), x, image_size=8)
    assert result.shape == (2, 8, 8, shape[-1])
    assert result == pytest.approx(0.2)


def test_a_resized_image_is_not_turned(encode):
    x = np.zeros((1, 16, 16, 1), np.uint8)
    x[:, :8, :8] = 255
    result = encode(make_spec("images", input_shape=(16, 16, 1)), x, image_size=8)[0, :, :, 0]
    assert (result[:3, :3] == 1).all()
    assert (result[5:] == 0).all()
    assert (result[:, 5:] == 0).all()


def test_images_are_mirrored_left_to_right_at_random_and_in_training_only(keras, encode):
    keras.utils.set_random_seed(1)
    x = np.zeros((64, 4, 4, 1), np.uint8)
    x[:, 0, 0] = 255
    described = make_spec("images", input_shape=(4, 4, 1))
    assert (encode(described, x, random_flip=True)[:, 0, 0] == 1).all()
    seen = encode(described, x, training=True, random_flip=True)[:, :, :, 0]
    kept, mirrored = seen[:, 0, 0], seen[:, 0, 3]
    assert (kept + mirrored == 1).all()
    assert 16 < kept.sum() < 48
    assert (encode(described, x, training=True)[:, 0, 0] == 1).all()


def test_a_series_is_standardised_column_by_column_whatever_the_step(encode):
    series = make_spec("series", input_shape=(3, 2), columns=TWO)
    steps = np.array([[[10.0, -1], [14, -2], [6, 0]]])
    assert encode(series, steps) == pytest.approx(np.array([[[0, 0], [2, -2], [-2, 2]]]))


def test_a_set_of_words_is_as_wide_as_params_say_however_few_are_known(encode):
    result = encode(words("good", "bad"), texts("Bad, bad!", "good film"), Text(max_tokens=10))
    assert result.tolist() == [[0, 0, 1] + [0] * 7, [1, 1, 0] + [0] * 7]


def test_a_set_of_words_holds_the_most_frequent_ones(encode):
    result = encode(words("a", "b", "c", "d"), texts("a b c d"), Text(max_tokens=3))
    assert result.tolist() == [[1, 1, 1]]


def test_a_sequence_is_its_last_words_or_is_padded_with_zeros(encode):
    text = Text(max_tokens=10, output="int", sequence_length=4)
    result = encode(words("a", "b"), texts("b new a", "a a a a b b", ""), text)
    assert result.tolist() == [[3, 1, 2, 0], [2, 2, 3, 3], [0, 0, 0, 0]]
    assert encode(words("a"), texts("", ""), text).tolist() == [[0] * 4] * 2, "a batch without any word"


def test_a_sequence_knows_no_more_words_than_params_say(encode):
    text = Text(max_tokens=4, output="int", sequence_length=3)
    assert encode(words("a", "b", "c"), texts("a b c"), text).tolist() == [[2, 3, 1]]


def test_words_are_told_apart_as_keras_tells_them_apart(keras):
    layer = keras.layers.TextVectorization(standardize="lower_and_strip_punctuation")
    layer.adapt(texts(*REVIEWS))
    known = set(layer.get_vocabulary()) - {"", "[UNK]"}
    assert set(ranked(count(REVIEWS))) == known


def test_every_word_of_the_vocabulary_is_found_in_its_text(encode):
    known = ranked(count(REVIEWS))
    result = encode(words(*known), texts(*REVIEWS), Text(max_tokens=1 + len(known)))
    assert not result[:, 0].any(), "no word is unknown"
    assert result[:, 1:].any(axis=0).all(), "no word is never found"


DAY = 86_400.0
MIXED = (
    Column(name="size", gaps="fill", missing=0.25, mean=1.0, variance=4.0, median=3.0),
    Column(name="town", kind="category", gaps="category", missing=0.1, categories=("Bonn", "Köln")),
    Column(name="note", kind="text", gaps="category", vocabulary=("good", "bad")),
    Column(name="open", kind="boolean", mean=0.5, variance=0.25),
)


@pytest.fixture
def encode_table(keras):
    """A function from a table to what the encoder of its columns makes of it, asked as a saved model is."""

    def encoded(columns, table):
        spec = make_spec(columns=columns, input_shape=(len(columns),))
        encoder = preprocessing.encoder(spec, RECIPE)
        result = compiled(encoder)(table)
        assert encoder.output_shape[1:] == result.shape[1:]
        return result

    return encoded


def table(**columns):
    dtypes = {"town": object, "note": object}
    return pd.DataFrame(
        {name: pd.Series(values, dtype=dtypes.get(name, float)) for name, values in columns.items()}
    )


def test_a_table_of_several_kinds_becomes_numbers(encode_table):
    rows = table(
        size=[5, np.nan, 1], town=["Köln", None, "Ulm"], note=["Good, good!", None, "so bad"], open=[1, 0, 1]
    )
    result = encode_table(MIXED, rows)
    assert result.tolist() == [
        # size and open, a gap in size; Bonn, Köln, no town; a word that is not known, good, bad
        [2, 1, 0, 0, 1, 0, 0, 1, 0],
        [1, -1, 1, 0, 0, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 1, 0, 1],
    ]


def test_a_category_that_was_never_seen_is_none(encode_table):
    towns = (Column(name="town", kind="category", categories=("Bonn", "[UNK]")),)
    assert encode_table(towns, table(town=["[UNK]", "Ulm", None])).tolist() == [[0, 1], [0, 0], [0, 0]]


def test_columns_of_which_training_rows_told_nothing_are_answered(encode_table):
    empty = (Column(name="town", kind="category"), Column(name="note", kind="text"))
    assert not encode_table(empty, table(town=["Bonn"], note=["good"]))[:, :1].any()


def test_a_gap_that_training_rows_never_had_is_the_median_and_nothing_else(encode_table):
    size = (Column(name="size", gaps="fill", mean=1.0, variance=4.0, median=3.0),)
    assert encode_table(size, table(size=[np.nan, 3.0])).tolist() == [[1], [1]]


def test_a_gap_that_is_refused_is_never_made_up(encode_table):
    size = (Column(name="size", variance=1), Column(name="other", variance=1, gaps="fill"))
    assert np.isnan(encode_table(size, table(size=[np.nan], other=[1.0]))[0, 0])


def test_times_tell_their_place_in_day_week_and_year(encode_table):
    since = (Column(name="since", kind="time", mean=0.0, variance=DAY**2),)
    noon, week_on, year_on = 0.5 * DAY, 7.5 * DAY, (0.5 + 365.2425) * DAY
    result = encode_table(since, table(since=[noon, week_on, year_on]))
    assert result[:, 0] == pytest.approx([0.5, 7.5, 365.7425], rel=1e-4)
    day, week, year = result[:, 1:3], result[:, 3:5], result[:, 5:7]
    assert day[:2] == pytest.approx(np.array([[0, -1], [0, -1]]), abs=1e-5)
    assert week[0] == pytest.approx(week[1], abs=1e-5)
    assert year[0] == pytest.approx(year[2], abs=1e-5)
    assert not np.allclose(year[0], year[1], atol=0.01)


def test_the_seconds_between_two_times_are_told_and_0_where_one_is_a_gap(encode_table):
    columns = (
        Column(name="since", kind="time", variance=DAY**2, gaps="fill"),
        Column(name="until", kind="time", variance=DAY**2, span_mean=600.0, span_variance=3600.0),
    )
    start = 19_000 * DAY
    result = encode_table(columns, table(since=[start, np.nan], until=[start + 720, start]))
    assert result[:, -1] == pytest.approx([2, 0])


def test_an_encoder_of_a_table_is_saved_and_loaded_without_code(keras, tmp_path):
    encoder = preprocessing.encoder(make_spec(columns=MIXED, input_shape=(4,)), RECIPE)
    encoder.save(tmp_path / "encoder.keras")
    again = keras.saving.load_model(tmp_path / "encoder.keras", compile=False, safe_mode=True)
    rows = table(size=[5, np.nan], town=["Köln", None], note=["good", ""], open=[1, 0])
    assert np.array_equal(compiled(again)(rows), compiled(encoder)(rows))


def test_characters_are_numbered_by_the_alphabet_and_padded(encode):
    text = Text(output="characters", sequence_length=5)
    known = [2 + ALPHABET.index(letter) for letter in "ab "]
    told = encode(make_spec("text"), texts("Ab bab", "é\n", "", "\N{KELVIN SIGN}-"), text)
    a, b, space = known
    assert told.tolist() == [[a, b, space, b, a], [1, 1, 0, 0, 0], [0] * 5, [1, told[3, 1], 0, 0, 0]]
    assert told[3, 1] == 2 + ALPHABET.index("-")
