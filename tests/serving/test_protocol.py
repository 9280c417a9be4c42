import json

import pytest

from tests.serving.conftest import TRIP, champion


def tensor(data, shape, datatype="FP64"):
    return {"inputs": [{"name": "x", "shape": shape, "datatype": datatype, "data": data}]}


def infer(client, name, body):
    kind = {"content-type": "application/json"}
    return client.post(f"/v2/models/{name}/infer", content=json.dumps(body), headers=kind)


def test_the_server_tells_what_it_serves(client):
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2").json().keys() == {"name", "version", "extensions"}
    assert "houses" in client.get("/v2/models").json()["models"]
    assert client.get("/v2/models/houses/ready").json() == {"name": "houses", "ready": True}
    metadata = client.get("/v2/models/houses").json()
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"] == [{"name": "examples", "datatype": "FP64", "shape": [-1, 2]}]


def test_it_is_not_ready_before_every_named_experiment_has_a_champion(running):
    running.plane.model_registry.unload("houses")
    assert running.client.get("/v2/health/ready").status_code == 503
    assert running.client.get("/v2/health/live").status_code == 200


def test_why_a_champion_is_not_the_newest_is_told(running):
    running.problems["houses"] = "version 2 is champion but does not answer: broken"
    assert running.client.get("/champions").json()["problems"] == running.problems
    assert running.client.get("/champions").json()["champions"]["houses"] == {
        "version": 1,
        "run_id": "run1",
        "ready": True,
    }


@pytest.mark.parametrize("data", [[1, 3, 5, 7], [[1, 3], [5, 7]]])
def test_a_tensor_is_answered_by_a_tensor_of_one_version(client, data):
    answer = infer(client, "houses", tensor(data, [2, 2]) | {"id": "42"}).json()
    assert answer["outputs"] == [{"name": "answers", "shape": [2, 1], "datatype": "FP64", "data": [2, 6]}]
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("houses", "1", "42")
    assert answer["parameters"] == {"run_id": "run1"}


def columns(rows, **changes):
    """A request with a tensor of each column of trips."""
    types = {"age": "FP64", "stops": "INT64", "paid": "BOOL", "night": "BOOL"}
    tensors = {
        name: {"name": name, "shape": [rows], "datatype": types.get(name, "BYTES"), "data": [value] * rows}
        for name, value in TRIP.items()
    }
    return {"inputs": [tensor | changes.get(name, {}) for name, tensor in tensors.items()]}


def test_a_table_of_many_kinds_is_a_tensor_of_each_column(client):
    assert client.get("/v2/models/trips").json()["inputs"] == [
        {"name": "age", "datatype": "FP64", "shape": [-1]},
        {"name": "paid", "datatype": "BOOL", "shape": [-1]},
        {"name": "colour", "datatype": "BYTES", "shape": [-1]},
        {"name": "stops", "datatype": "INT64", "shape": [-1]},
        {"name": "night", "datatype": "BOOL", "shape": [-1]},
        {"name": "pickup", "datatype": "BYTES", "shape": [-1]},
        {"name": "note", "datatype": "BYTES", "shape": [-1]},
    ]
    assert infer(client, "trips", columns(1)).json()["outputs"][0]["data"] == [107]
    gaps = {"age": {"data": [None, 1]}, "colour": {"data": ["", "green"]}, "paid": {"data": [None, True]}}
    assert infer(client, "trips", columns(2, **gaps)).json()["outputs"][0]["data"] == [4, 7]
    pairs = {name: {"shape": [2, 1], "data": [[value], [value]]} for name, value in TRIP.items()}
    assert infer(client, "trips", columns(2, **pairs)).json()["outputs"][0]["data"] == [107, 107]


def test_a_gap_may_be_nan_where_a_column_has_gaps(client):
    answer = infer(client, "trips", columns(1, age={"data": [float("nan")]}))
    assert answer.json()["outputs"][0]["data"] == [106]


def test_a_table_of_numbers_is_one_tensor_or_one_of_each_column(client):
    apart = [
        {"name": name, "shape": [2], "datatype": "FP64", "data": data}
        for name, data in (("b", [3, 7]), ("a", [1, 5]))
    ]
    answer = infer(client, "houses", {"inputs": apart}).json()
    assert answer["outputs"] == infer(client, "houses", tensor([1, 3, 5, 7], [2, 2])).json()["outputs"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"age": {"name": "years"}}, "no input is named 'age'"),
        ({"age": {"shape": []}}, "N from 1 to 5"),
        ({"age": {"shape": [0], "data": []}}, "N from 1 to 5"),
        ({"note": {"shape": [2]}}, "the shape of note is [2]; give [1]"),
        ({"note": {"data": ["a", "b"]}}, "the shape of note is [1]; give [1]"),
        ({"note": {"data": [["a", "b"]]}}, "the shape of note"),
        ({"note": {"data": [{}]}}, "note"),
        ({"note": {"data": ["\ud800"]}}, "Invalid JSON"),
        ({"stops": {"data": ["many"]}}, "row 1, column stops is 'many'"),
        ({"stops": {"data": [None]}}, "row 1, column stops is empty"),
        ({"stops": {"data": [10**400]}}, "row 1, column stops is 1000"),
        ({"pickup": {"data": ["now"]}}, "row 1, column pickup is 'now'"),
    ],
)
def test_columns_that_the_model_does_not_take_are_refused(client, changes, sentence):
    answer = infer(client, "trips", columns(1, **changes))
    assert answer.status_code == 422, answer.text
    assert sentence in answer.json()["error"]


def test_texts_and_pixels_are_tensors_too(client):
    texts = infer(client, "reviews", tensor(["one", "Größe"], [2], "BYTES")).json()
    assert texts["outputs"][0]["data"] == pytest.approx([0.3, 0.5])
    pixels = infer(client, "masks", tensor([255] * 16, [1, 4, 4, 1], "UINT8")).json()
    assert pixels["outputs"][0]["shape"] == [1, 4, 4, 1]


def test_what_is_written_is_a_tensor_of_texts(client):
    tensors = [
        {"name": "seed", "shape": [2], "datatype": "INT64", "data": [1, 2]},
        {"name": "prompt", "shape": [2], "datatype": "BYTES", "data": ["ab", None]},
    ]
    told = infer(client, "novels", {"inputs": tensors}).json()
    assert told["outputs"] == [{"name": "answers", "shape": [2], "datatype": "BYTES", "data": ["AB1", "2"]}]
    described = client.get("/v2/models/novels").json()
    assert [one["datatype"] for one in described["inputs"]] == ["INT64", "BYTES"]
    assert described["outputs"] == [{"name": "answers", "datatype": "BYTES", "shape": [-1]}]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("houses", {"inputs": []}),
        ("houses", {"inputs": tensor([1, 2], [1, 2])["inputs"] * 2}),
        ("houses", tensor([1, 2], [2])),
        ("houses", tensor([1, 2], [])),
        ("houses", tensor([], [0, 2])),
        ("houses", tensor([], [-1, 2])),
        ("houses", tensor([1] * 12, [6, 2])),
        ("houses", tensor([1], [1, 2])),
        ("houses", tensor([1, [2]], [1, 2])),
        ("houses", tensor(["a", "b"], [1, 2])),
        ("houses", tensor([1, 10**400], [1, 2])),
        ("houses", tensor([1, None], [1, 2])),
        ("houses", tensor([1, 2], [1, 2], "BYTES")),
        ("houses", tensor([1, 2], [1, 2], "FP16")),
        ("reviews", tensor([1], [1], "BYTES")),
        ("reviews", tensor(["a"], [2], "BYTES")),
        ("reviews", tensor(["\ud800"], [1], "BYTES")),
        ("reviews", tensor([1], [1], "INT64")),
        ("masks", tensor([256] * 16, [1, 4, 4, 1], "UINT8")),
        ("masks", tensor([0.5] * 16, [1, 4, 4, 1], "FP32")),
        ("masks", tensor([0] * 15, [1, 4, 4, 1], "UINT8")),
        ("houses", {"inputs": 1}),
        ("houses", [1]),
    ],
)
def test_a_tensor_that_the_model_does_not_take_is_refused(client, name, body):
    answer = infer(client, name, body)
    assert answer.status_code == 422, answer.text
    assert answer.json().keys() == {"error"}


@pytest.mark.parametrize(("value", "sentence"), [("nan", "column b is empty"), ("inf", "no finite number")])
def test_what_is_no_finite_number_is_refused(client, value, sentence):
    answer = infer(client, "houses", tensor([1, float(value)], [1, 2]))
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]


def test_nobody_can_unload_a_model(client):
    assert client.post("/v2/repository/models/houses/unload").status_code == 404
    assert infer(client, "houses", tensor([1, 3], [1, 2])).status_code == 200


def test_metrics_tell_how_long_which_version_took(running):
    running.serve(champion("houses", 7))
    infer(running.client, "houses", tensor([1, 3], [1, 2]))
    metrics = running.client.get("/metrics").text
    assert 'evermodel_answer_seconds_count{form="v2",model="houses",version="7"} 1.0' in metrics
    assert 'request_predict_seconds_count{model_name="houses"}' in metrics
