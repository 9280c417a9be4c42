import base64
import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evermodel import prediction
from evermodel.core.data import Layout
from tests.serving.conftest import LIMITS, TRIP, champion
from tests.specs import make_spec

ROW = {"a": 1, "b": 3}
STEPS = [{"Open": step, "Close": step} for step in (9.0, 1.0, 2.0, 3.0)]


def image(size=(4, 4), colour=200, form="PNG"):
    written = io.BytesIO()
    Image.new("L", size, colour).save(written, form)
    return written.getvalue()


def upload(*contents):
    return [("file", (f"p{number}", content)) for number, content in enumerate(contents)]


def refusal(answer, status):
    assert answer.status_code == status, answer.text
    (sentence,) = answer.json().values()
    assert answer.json().keys() == {"error"}
    assert "\n" not in sentence
    return sentence


def test_rows_are_answered_by_numbers_with_version_and_run(client):
    answer = client.post("/predict/houses", json={"rows": [ROW, {"b": 5, "a": 7, "other": "x"}]})
    assert answer.json() == {
        "model": "houses",
        "version": 1,
        "run_id": "run1",
        "answers": [{"input": "row:1", "price": 2.0}, {"input": "row:2", "price": 6.0}],
    }


def test_a_table_may_come_as_a_file(client):
    answer = client.post("/predict/houses", files=upload(b"b,a\n3,1\n5,7\n"))
    assert [row["price"] for row in answer.json()["answers"]] == [2.0, 6.0]


def test_a_table_may_be_written_as_the_one_learned_from(running):
    layout = {"separator": ";", "header": False, "columns": ("b", "a", "price")}
    running.serve(replace(champion("houses"), spec=make_spec("table", layout=layout)))
    answer = running.client.post("/predict/houses", files=upload(b"3;1;99\n5;7;99\n"))
    assert [row["price"] for row in answer.json()["answers"]] == [2.0, 6.0]


def test_a_row_of_many_kinds_is_answered_as_a_file_has_it(client):
    rows = [TRIP, TRIP | {"age": None, "paid": None, "colour": ""}, TRIP | {"age": "2", "colour": "green"}]
    answer = client.post("/predict/trips", json={"rows": rows}).json()["answers"]
    assert [row["price"] for row in answer] == [107, 4, 7]
    table = pd.DataFrame(rows)
    for content in (table.to_csv(index=False), table.to_csv(index=False, sep="\t")):
        spec = champion("trips").spec.model_copy(update={"layout": Layout(separator="\t")})
        running = replace(champion("trips"), spec=spec)
        _, x = prediction.examples([("trips.csv", content.encode())], running.spec)
        assert running.predict(x)["colour"].tolist() == [107, 4, 7]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stops": None}, "row 1, column stops is empty (None)"),
        ({"note": ""}, "row 1, column note is empty ('')"),
        ({"stops": "many"}, "row 1, column stops is 'many', no finite number"),
        ({"night": "perhaps"}, "row 1, column night is 'perhaps', neither true nor false"),
        ({"pickup": "yesterday"}, "row 1, column pickup is 'yesterday', no date or time"),
        ({"pickup": 20241231}, "row 1, column pickup is 20241231"),
        ({"colour": ["red"]}, "rows.0.colour"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_field_that_its_column_does_not_take_is_refused(client, changes, sentence):
    answer = client.post("/predict/trips", json={"rows": [TRIP | changes]})
    assert sentence in refusal(answer, 422)


def test_a_column_that_may_be_empty_may_not_be_missing(client):
    answer = client.post("/predict/trips", json={"rows": [{k: v for k, v in TRIP.items() if k != "age"}]})
    assert "the request has no column 'age'; needed are age, paid" in refusal(answer, 422)


def test_a_series_is_answered_by_its_last_steps(client):
    (row,) = client.post("/predict/prices", json={"rows": STEPS}).json()["answers"]
    assert row["price"] == 2.0
    short = refusal(client.post("/predict/prices", json={"rows": STEPS[:2]}), 422)
    assert "has 2 rows; the 3 last steps are needed" in short


@pytest.mark.parametrize("text", ["Größe 🎉", ["Größe 🎉"]])
def test_a_text_is_answered_by_its_class_and_all_probabilities(client, text):
    (row,) = client.post("/predict/reviews", json={"text": text}).json()["answers"]
    assert (row["label"], row["probability"]) == ("good", pytest.approx(0.7))
    assert row["probabilities"] == {"bad": pytest.approx(0.3), "good": pytest.approx(0.7)}


def test_images_of_any_size_are_answered_one_by_one(client):
    answers = client.post("/predict/digits", files=upload(image(), image((9, 5), 7, "JPEG"))).json()[
        "answers"
    ]
    assert [(row["input"], row["label"]) for row in answers] == [("p0", "1"), ("p1", "1")]


def test_an_image_is_answered_by_an_image_in_base64_or_as_it_is(client):
    (row,) = client.post("/predict/masks", files=upload(image())).json()["answers"]
    asked = client.post("/predict/masks", files=upload(image()), headers={"accept": "image/png"})
    assert asked.headers["content-type"] == "image/png"
    assert (asked.headers["x-evermodel-version"], asked.headers["x-evermodel-run"]) == ("1", "run1")
    assert base64.b64decode(row["image"]) == asked.content
    assert np.unique(np.asarray(Image.open(io.BytesIO(asked.content)))) == [200]


def test_an_image_is_made_of_each_seed_and_the_same_one_of_the_same(client):
    rows = [{"seed": seed} for seed in (50, -50)]
    answers = client.post("/predict/fakes", json={"rows": rows}).json()["answers"]
    images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(one["image"])))) for one in answers]
    assert [one["input"] for one in answers] == ["row:1", "row:2"]
    assert [image.tolist() for image in images] == [[[128, 128], [128, 128]]] * 2
    accept = {"Accept": "image/png"}
    (one,) = (client.post("/predict/fakes", json={"rows": rows[:1]}, headers=accept),)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(one.content))), images[0])
    assert one.headers["x-evermodel-version"] == "1"


def test_an_image_is_drawn_of_each_seed_and_caption_of_known_words(client):
    rows = [{"seed": 50, "caption": "a bag"}, {"caption": "A RED bag", "seed": 100}]
    answers = client.post("/predict/sketches", json={"rows": rows}).json()["answers"]
    images = [np.asarray(Image.open(io.BytesIO(base64.b64decode(one["image"])))) for one in answers]
    assert [np.unique(image).tolist() for image in images] == [[128], [0]]
    for caption, told in (("a hat", "the word 'hat'"), ("a a a bag", "4 words; the limit is 3"), (None, "")):
        wrong = client.post("/predict/sketches", json={"rows": [{"seed": 1, "caption": caption}]})
        assert told in refusal(wrong, 422)
    assert refusal(client.post("/predict/sketches", json={"rows": [{"seed": 1}]}), 422)


@pytest.mark.parametrize("seed", [None, 1.5, "a", [1], 10**400])
def test_what_is_no_whole_number_is_no_seed(client, seed):
    assert refusal(client.post("/predict/fakes", json={"rows": [{"seed": seed}]}), 422)


def test_an_image_is_seen_as_a_viewer_shows_it(client):
    """Dark on the left, transparent on the right, and lying on its side."""
    pixels = np.zeros((4, 4, 2), np.uint8)
    pixels[:, :2, 1] = 255
    written, exif = io.BytesIO(), Image.Exif()
    exif[274] = 6  # to be turned by a quarter, clockwise
    Image.fromarray(pixels, "LA").save(written, "PNG", exif=exif)
    asked = client.post("/predict/masks", files=upload(written.getvalue()), headers={"accept": "image/png"})
    seen = np.asarray(Image.open(io.BytesIO(asked.content)))
    assert seen.tolist() == [[0] * 4] * 2 + [[255] * 4] * 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"nonsense", "Invalid JSON"),
        (b"", "Invalid JSON"),
        (b"[" * 50_000, "Invalid JSON"),
        (b'{"rows": [{"a": NaN, "b": 1}]}', "column a is empty (nan)"),
        (b'{"rows": [{"a": 1e999, "b": 1}]}', "column a is inf, no finite number"),
        (b'{"rows": [{"a": "many", "b": 1}]}', "row 1, column a is 'many', no finite number"),
        (b'{"rows": [{"a": null, "b": 1}]}', "column a is empty (None)"),
        (b'{"rows": [{"a": 1}]}', "no column 'b'; needed are a, b"),
        (b'{"rows": [{}]}', "no column 'a'"),
        (b'{"rows": [{"a": [1], "b": 1}]}', "rows.0.a"),
        (b'{"rows": []}', "rows"),
        (b'{"rows": 1, "b": 2}', "rows"),
        (b'{"text": "x"}', "this model takes"),
        (b'{"rows": [{"a": 1, "b": 1}], "text": "x"}', "this model takes"),
        (b"{}", "this model takes"),
        (b"[1]", "should be an object"),
    ],
)
def test_what_is_wrong_with_the_json_is_said(client, body, sentence):
    answer = client.post("/predict/houses", content=body, headers={"content-type": "application/json"})
    assert sentence in refusal(answer, 422)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("digits", b"no image", "p0 is not an image"),
        ("digits", image((64, 64))[:60], "cut off or corrupt"),
        ("digits", b"P5 60000 60000 255\n", "pixels"),
        ("reviews", "Größe".encode("latin-1"), "p0 is not a text in UTF-8"),
        ("houses", b"a,b\n", "p0 has no rows"),
        ("houses", b"a,b\n1,inf\n", "no finite number"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_its_name(client, name, content, sentence):
    assert sentence in refusal(client.post(f"/predict/{name}", files=upload(content)), 422)


def test_a_form_without_a_file_is_refused(client):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    part = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'
    assert "no file" in refusal(client.post("/predict/digits", content=part, headers=kind), 422)
    refusal(client.post("/predict/digits", content=b"junk", headers=kind), 400)


def test_another_content_type_is_refused(client):
    assert "application/json" in refusal(client.post("/predict/houses", content="a,b"), 415)


@pytest.mark.parametrize("name", ["nowhere", "..%2f..%2fetc%2fpasswd", "%00", "a/b", ""])
def test_a_model_that_is_not_served_is_not_found(client, name):
    refusal(client.post(f"/predict/{name}", json={"rows": [ROW]}), 404)


def test_more_examples_than_the_limit_are_refused(client):
    assert "6 examples; the limit is 5" in refusal(
        client.post("/predict/houses", json={"rows": [ROW] * 6}), 422
    )
    refusal(client.post("/predict/digits", files=upload(*[image()] * 3)), 400)
    made = client.post("/predict/fakes", json={"rows": [{"seed": 1}] * 3})
    assert "3 examples; the limit is 2" in refusal(made, 422)


def test_the_pixels_of_all_images_of_a_request_are_counted_before_one_is_decoded(start, monkeypatch):
    client, small, large = start(replace(LIMITS, pixels=100)).client, image((5, 10)), image((6, 10))
    assert client.post("/predict/digits", files=upload(small, small)).status_code == 200
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    refused = refusal(client.post("/predict/digits", files=upload(small, large)), 422)
    assert refused == "the images have 110 pixels together; the limit of a request is 100"


def test_an_answer_that_is_not_finite_is_not_given(running):
    running.serve(champion("houses", predict=lambda x: np.array([[np.nan]])))
    assert "no finite answer" in refusal(running.client.post("/predict/houses", json={"rows": [ROW]}), 422)


def test_a_model_that_fails_does_not_end_the_server(running):
    running.serve(champion("houses", predict=lambda x: 1 / 0))
    assert "log" in refusal(running.client.post("/predict/houses", json={"rows": [ROW]}), 500)
    assert running.client.post("/predict/prices", json={"rows": STEPS}).status_code == 200


def test_every_answer_is_logged_without_what_was_asked(running):
    running.client.post("/predict/reviews", json={"text": "a secret"})
    running.client.post("/predict/masks", files=upload(image()))
    first, second = running.lines
    assert (first["model"], first["version"], first["run_id"]) == ("reviews", 1, "run1")
    assert first["answer"][0]["label"] == "good"
    assert first["milliseconds"] > 0
    assert not {"secret", "p0"} & set(re.findall(r"\w+", str(running.lines)))
    assert len(first["input_hmac"]) == len(second["answer"][0]["image"]) == 64


def test_a_text_is_written_of_each_seed_and_prompt(client):
    rows = [{"seed": 1, "prompt": "ab"}, {"prompt": None, "seed": 2}]
    answers = client.post("/predict/novels", json={"rows": rows}).json()["answers"]
    assert answers == [{"input": "row:1", "text": "AB1"}, {"input": "row:2", "text": "2"}]
    assert refusal(client.post("/predict/novels", json={"rows": rows * 2}), 422)
    for wrong in ({"seed": 1}, {"seed": 1.5, "prompt": ""}, {"seed": 1, "prompt": "x" * 501}):
        assert refusal(client.post("/predict/novels", json={"rows": [wrong]}), 422)
    assert refusal(client.post("/predict/novels", json={"text": "ab"}), 422)
