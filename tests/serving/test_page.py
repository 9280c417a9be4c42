import asyncio
import base64
import io
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import gradio
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from evermodel.core.errors import EvermodelError
from evermodel.serving import page, question, sketch
from evermodel.serving.view import view
from tests.serving.conftest import LIMITS, STEPS, TRIP, champion
from tests.specs import make_spec

ROW = {"json": {"rows": [{"a": 1, "b": 3}]}}


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Gradio's files of a test go with it, and so do the settings that the page makes."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("GRADIO_HEARTBEAT_INTERVAL", "1")


def png(pixels):
    written = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(written, "PNG")
    return written.getvalue()


def files(*images):
    return {"files": [("file", (f"p{n}", png(pixels))) for n, pixels in enumerate(images)]}


def of(task, kind="images", **changes):
    """A champion of that task, of which only the metadata matter."""
    return replace(champion("masks"), task=task, spec=make_spec(kind, **changes))


def restored(task, x, answer):
    return view(of(task, input_shape=x.shape), files(x.squeeze()), [{"image": coded(answer)}])


def coded(pixels):
    return base64.b64encode(png(pixels)).decode()


@contextmanager
def opened(running, token=None, limits=LIMITS):
    """A client of the application with its page."""
    with (
        page.mounted(running.app, running.plane, limits, token),
        TestClient(running.app, raise_server_exceptions=False) as client,
    ):
        yield client


def test_it_gets_what_everybody_gets_and_is_written_into_the_log(running):
    said = asyncio.run(page.ask(running.app, None, "houses", ROW))
    assert said == running.client.post("/predict/houses", **ROW).json()
    first, second = running.lines
    assert first["answer"] == second["answer"] == [{"price": 2.0}]
    assert first["version"] == said["version"] == 1


def test_a_refusal_is_its_sentence(running, start):
    with pytest.raises(EvermodelError, match="column b is 'three', no finite number"):
        asyncio.run(page.ask(running.app, None, "houses", {"json": {"rows": [{"a": 1, "b": "three"}]}}))
    with pytest.raises(EvermodelError, match="100,000 bytes"):
        asyncio.run(page.ask(running.app, None, "reviews", {"json": {"text": "x" * 200_000}}))
    guarded = start(token="secret")
    assert asyncio.run(page.ask(guarded.app, "secret", "houses", ROW))["version"] == 1


def test_it_is_at_the_root_behind_the_token_and_its_uploads_go_with_it(start):
    running = start(token="secret")
    with opened(running, "secret") as client:
        assert client.get("/try/").status_code == 401
        client.auth = ("anybody", "secret")
        shown = client.get("/")
        assert shown.status_code == 200
        assert "gradio" in shown.text
        upload = {"files": ("small.png", b"x")}
        (path,) = client.post("/try/gradio_api/upload", files=upload).json()
        assert client.get(f"/try/gradio_api/file={path}").content == b"x"
        assert client.post("/try/gradio_api/upload", files={"files": b"x" * 200_000}).status_code == 413
        assert client.get("/predict/houses").status_code == 405, "the server's own paths stay its own"
    assert not Path(path).exists()
    assert not Path(path).is_relative_to(Path(tempfile.gettempdir(), "gradio"))


def test_uploads_are_refused_while_their_folder_is_full(running):
    with opened(running, limits=replace(LIMITS, uploads=1000)) as client:
        fill, more = ({"files": (name, b"x" * 800)} for name in ("fill", "more"))
        paths = [client.post("/try/gradio_api/upload", files=files).json()[0] for files in (fill, more)]
        refused = client.post("/try/gradio_api/upload", files={"files": ("last", b"x")})
        assert refused.status_code == 503
        assert "take more than 1,000 bytes" in refused.json()["error"]
        assert client.get(f"/try/gradio_api/file={paths[0]}").status_code == 200
        assert client.post("/predict/houses", **ROW).status_code == 200, "only the page is full"
        Path(paths[0]).unlink()
        assert client.post("/try/gradio_api/upload", files={"files": ("last", b"x")}).status_code == 200


def test_no_other_file_of_the_machine_can_be_had(running, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    with opened(running) as client:
        for path in (secret, "/etc/passwd", Path("params.yaml").absolute(), running.folder / "key"):
            assert client.get(f"/try/gradio_api/file={path}").status_code == 403


def test_the_version_that_answered_is_named_with_a_link_to_its_run(monkeypatch):
    said = {"model": "houses", "version": 3, "run_id": "0123456789abcdef"}
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert "houses version 3" in page.source(said)
    assert "(https://mlflow.example.org/#/runs/0123456789abcdef)" in page.source(said)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    assert "(http://127.0.0.1:5000/#/runs/0123456789abcdef)" in page.source(said)
    monkeypatch.setenv("EVERMODEL_MLFLOW_PAGES", "https://pages.example.org")
    assert "(https://pages.example.org/#/runs/0123456789abcdef)" in page.source(said)


def test_the_page_follows_the_champion_and_says_which_version_answered(running):
    ask = partial(page.ask, running.app, None)
    click = page.answering("houses", running.plane, ask, lambda a, b: {"json": {"rows": [{"a": a, "b": b}]}})
    for version, price in ((1, 2.0), (2, 7.0)):
        running.serve(champion("houses", version, lambda x, price=price: np.full((len(x), 1), price)))
        numbers, _, _, _, source, card, _ = asyncio.run(click(1, 3))
        assert numbers.value["label"] == f"price {price:g}"
        assert f"houses version {version}" in source
        assert card.label == f"Model card of houses version {version}"
    with pytest.raises(gradio.Error, match="column b is empty \\(None\\)"):
        asyncio.run(click(1, None))


@pytest.mark.parametrize(
    ("one", "titles"),
    [
        (champion("houses"), ["Row"]),
        (champion("trips"), ["Row"]),
        (champion("fakes"), ["Seed"]),
        (champion("novels"), ["Seed"]),
        (champion("sketches"), ["Seed"]),
        (champion("prices"), ["Steps"]),
        (champion("reviews"), ["Text"]),
        (champion("masks"), ["Upload"]),
        (champion("digits"), ["Draw", "Upload"]),
        (of("embedding"), ["Two images"]),
        (of("denoising"), ["Upload"]),
        (of("binary", classes=("sad", "glad"), input_shape=(4, 4, 3)), ["Upload"]),
    ],
    ids=lambda value: value.task if hasattr(value, "task") else "",
)
def test_every_kind_has_fields_which_are_filled_with_its_example(one, titles):
    forms = question.forms(one)
    assert list(forms) == titles
    with gradio.Blocks():
        made = forms[titles[-1]](one)
    assert all(field.value is not None for field in made.fields)


def test_fields_make_the_request_that_the_server_takes(running):
    with gradio.Blocks():
        row, text, steps = (
            form(one)
            for one in (champion("houses"), champion("reviews"), champion("prices"))
            for form in question.forms(one).values()
        )
    frame = {"headers": ["Open", "Close"], "data": [[1, 2], ["3", 4], [5, 6]], "metadata": None}
    for name, request in (
        ("houses", row.request(1, 3)),
        ("reviews", text.request("A film")),
        ("prices", steps.request(frame)),
    ):
        assert running.client.post(f"/predict/{name}", **request).status_code == 200
    for name, request in (
        ("houses", row.request(None, 3)),
        ("reviews", text.request(None)),
        ("prices", steps.request({"data": [["", 1]]})),
        ("prices", steps.request({"data": []})),
    ):
        answer = running.client.post(f"/predict/{name}", **request)
        assert answer.status_code == 422
        assert answer.json()["error"]


def test_a_row_of_many_kinds_has_a_field_of_each_and_an_empty_one_is_a_gap(running):
    with gradio.Blocks():
        row = question.forms(champion("trips"))["Row"](champion("trips"))
    shown = {field.label: field for field in row.fields}
    assert {name: field.value for name, field in shown.items()} == TRIP | {"paid": "true", "night": "false"}
    assert [value for _, value in shown["night"].choices] == ["true", "false"]
    assert not shown["night"].allow_custom_value
    assert [value for _, value in shown["paid"].choices] == ["", "true", "false"]
    assert [value for _, value in shown["colour"].choices] == ["", "red", "blue"]
    assert shown["colour"].allow_custom_value
    for values, price in (
        ([field.value for field in row.fields], 107),
        ([None, "", None, 2, True, "2024-12-31", "fast"], 4),
        ([3, "false", "green", 2, True, "2024-12-31", "fast"], 7),
    ):
        answer = running.client.post("/predict/trips", **row.request(*values))
        assert answer.json()["answers"][0]["price"] == price
    refused = running.client.post("/predict/trips", **row.request(3, "false", "red", None, True, "", "fast"))
    assert "column stops is empty" in refused.json()["error"]


def test_a_seed_makes_an_image_and_another_one_can_be_had(running):
    with gradio.Blocks():
        asked = question.forms(champion("fakes"))["Seed"](champion("fakes"))
    assert "Math.random" in asked.another
    request = asked.request(25)
    said = asyncio.run(page.ask(running.app, None, "fakes", request))
    ((image, title),) = view(champion("fakes"), request, said["answers"]).images
    assert title == "seed 25"
    assert np.asarray(image).shape == (300, 300)
    assert np.unique(image).tolist() == [64]
    with pytest.raises(EvermodelError, match=r"column seed is 2\.5"):
        asyncio.run(page.ask(running.app, None, "fakes", asked.request(2.5)))


def test_only_what_is_made_of_a_seed_has_a_button_for_another(running):
    with gradio.Blocks():
        names = ("fakes", "novels", "houses", "digits")
        buttons = {name: page._forms(champion(name))[0][2] for name in names}
    assert [name for name, button in buttons.items() if button] == ["fakes", "novels"]


def test_a_seed_and_a_prompt_are_fields_and_the_text_stands_after_its_prompt(running):
    with gradio.Blocks():
        asked = question.forms(champion("novels"))["Seed"](champion("novels"))
    assert len(asked.fields) == 2
    for prompt, shown in (("ab", "abAB7"), ("", "7"), (None, "7")):
        request = asked.request(7, prompt)
        said = asyncio.run(page.ask(running.app, None, "novels", request))
        assert view(champion("novels"), request, said["answers"]).text == shown


def test_what_a_caption_drew_stands_beside_what_its_patches_looked_at(running):
    with gradio.Blocks():
        asked = question.forms(champion("sketches"))["Seed"](champion("sketches"))
    field = asked.fields[1]
    assert [value for _, value in field.choices] == ["a bag", "a red bag"]
    assert (field.value, field.allow_custom_value) == ("a bag", True)
    request = asked.request(50, "Red bag")
    said = asyncio.run(page.ask(running.app, None, "sketches", request))
    images = view(champion("sketches"), request, said["answers"]).images
    assert [title for _, title in images] == ["Red bag", "red", "bag"]
    drawn, other, looked = (np.asarray(image) for image, _ in images)
    assert np.unique(drawn).tolist() == [128]
    assert np.unique(other).tolist() == [64]
    assert np.unique(looked.reshape(-1, 3), axis=0).tolist() == [[213, 94, 0]]
    with pytest.raises(EvermodelError, match="the word 'pink', but known are only a, bag, red"):
        asyncio.run(page.ask(running.app, None, "sketches", asked.request(1, "a pink bag")))


@pytest.mark.parametrize("path", ["http://127.0.0.1/x.png", "https://example.org/x.png"])
def test_an_address_is_found_wherever_it_stands(path):
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    assert page.elsewhere([file])
    assert page.elsewhere([1, {"layers": [None, file]}])
    assert not page.elsewhere([{"path": "/tmp/x.png", "url": path}, path, 1, None])


def test_an_image_that_is_not_there_is_asked_for(tmp_path):
    (tmp_path / "there.png").write_bytes(b"x")
    there, gone = ({"path": str(tmp_path / name)} for name in ("there.png", "gone.png"))
    assert question.uploaded(there, there)["files"][1][1] == ("image 2", b"x")
    for given in ([None], [there, None], [gone], [{"path": None, "url": "http://127.0.0.1/x.png"}]):
        with pytest.raises(EvermodelError, match="missing"):
            question.uploaded(*given)


def test_a_drawing_becomes_as_large_as_a_digit_wherever_it_was_drawn():
    paper = np.zeros((280, 280), np.uint8)
    paper[200:240, 10:30] = 255
    drawn = np.asarray(Image.open(io.BytesIO(sketch.png(sketch.DATA + coded(paper)))))
    rows, columns = np.nonzero(drawn)
    assert drawn.shape == (56, 56)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 47, 18, 37)


@pytest.mark.parametrize(
    "drawing",
    [sketch.DATA + coded(np.zeros((9, 9))), None, 7, "data:image/png;base64,%", sketch.DATA + "aGVsbG8="],
)
def test_what_is_no_drawing_is_one_sentence(drawing):
    with pytest.raises(EvermodelError, match=r"draw (it|something) on"):
        sketch.png(drawing)


def test_numbers_are_shown_with_their_columns_and_classes_with_their_probabilities():
    assert view(champion("houses"), {}, [{"input": "row:1", "price": 21.2345}]).numbers == "price 21.23"
    said = {
        "input": "text:1",
        "label": "good",
        "probability": 0.7,
        "probabilities": {"bad": 0.3, "good": 0.7},
    }
    assert view(champion("reviews"), {}, [said]).classes == {"bad": 0.3, "good": 0.7}
    seen = view(of("age_gender"), {}, [{"input": "a", "age": 33.6, "gender": 0.25}])
    assert (seen.numbers, seen.classes) == ("34 years", {"gender 0": 0.75, "gender 1": 0.25})


def test_two_faces_are_compared_by_the_cosine():
    same, other = {"embedding": [1.0, 0.0]}, {"embedding": [1.0, 1.0]}
    assert view(of("embedding"), {}, [same, same]).numbers == "cosine similarity 1.000"
    assert view(of("embedding"), {}, [same, other]).numbers == "cosine similarity 0.707"


def test_a_mask_is_painted_over_its_image():
    x, mask = np.full((4, 4, 1), 100, np.uint8), np.zeros((4, 4), np.uint8)
    mask[0, 0] = 255
    answer, over = (np.asarray(image) for image, _ in restored("segmentation", x, mask).images)
    assert answer.shape == over.shape[:2] == (300, 300)
    assert (over[74, 74] != 100).all()
    assert (over[75, 75] == 100).all()


def test_a_mask_of_several_classes_is_painted_in_their_colours():
    x, colours = np.full((4, 4, 1), 100, np.uint8), np.zeros((4, 4, 3), np.uint8)
    colours[0, 0] = (200, 0, 50)
    one = of("segmentation", input_shape=x.shape, masks=True, classes=("road", "car", "sky"))
    assert list(question.forms(one)) == ["Upload"]
    answer, over = (np.asarray(image) for image, _ in restored("segmentation", x, colours).images)
    assert answer[0, 0].tolist() == [200, 0, 50]
    assert over[0, 0].tolist() == [150, 50, 75]


def test_a_coloured_image_is_shown_beside_the_gray_one_that_was_seen():
    x = np.full((4, 4, 3), (200, 30, 30), np.uint8)
    gray, answer = (np.asarray(image) for image, _ in restored("colorization", x, x).images)
    assert np.ptp(gray[0, 0].astype(int)) <= 1
    assert (answer[0, 0] == x[0, 0]).all()


def test_an_oddity_is_told_by_its_error():
    x = np.full((4, 4, 3), 255, np.uint8)
    seen = restored("anomaly", x, np.zeros((4, 4, 3)))
    assert seen.numbers.startswith("error 1;")
    assert len(seen.images) == 2
    assert restored("reconstruction", x, x).numbers == ""


def test_a_forecast_is_drawn_behind_the_steps_before_it():
    rows = [{"Open": step, "Close": step} for step in (1, 2, "3")]
    one = replace(champion("prices"), spec=make_spec("series", columns=STEPS, target="Open"))
    seen = view(one, {"json": {"rows": rows}}, [{"input": "rows", "Open": 4.0}])
    assert seen.numbers == "Open 4"
    assert seen.images[0][0].width > 300


def test_a_forecast_of_several_steps_is_told_and_drawn_step_by_step():
    rows = [{"Open": step, "Close": step, "day": f"2024-01-0{step}"} for step in (3, 1, 2)]
    spec = make_spec("series", columns=STEPS, target="Open", horizon=2, layout={"date": "day"})
    seen = view(
        replace(champion("prices"), spec=spec),
        {"json": {"rows": rows}},
        [{"input": "rows", "Open": [4.0, 5.5]}],
    )
    assert seen.numbers == "Open 4 → 5.5"
    assert seen.images
