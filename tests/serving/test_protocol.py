import json

import pytest

from tests.serving.conftest import champion


def tensor(data, shape, datatype="FP64"):
    return {"inputs": [{"name": "x", "shape": shape, "datatype": datatype, "data": data}]}


def infer(client, name, body):
    return client.post(f"/v2/models/{name}/infer", json=body)


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


def test_texts_and_pixels_are_tensors_too(client):
    texts = infer(client, "reviews", tensor(["one", "Größe"], [2], "BYTES")).json()
    assert texts["outputs"][0]["data"] == pytest.approx([0.3, 0.5])
    pixels = infer(client, "masks", tensor([255] * 16, [1, 4, 4, 1], "UINT8")).json()
    assert pixels["outputs"][0]["shape"] == [1, 4, 4, 1]


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
    content = json.dumps(body)
    answer = client.post(
        f"/v2/models/{name}/infer", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    assert answer.json().keys() == {"error"}


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_finite_number_is_refused(client, value):
    content = json.dumps(tensor([1, "value"], [1, 2])).replace('"value"', value)
    answer = client.post(
        "/v2/models/houses/infer", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert "finite" in answer.json()["error"]


def test_nobody_can_unload_a_model(client):
    assert client.post("/v2/repository/models/houses/unload").status_code == 404
    assert infer(client, "houses", tensor([1, 3], [1, 2])).status_code == 200


def test_metrics_tell_how_long_which_version_took(running):
    running.serve(champion("houses", 7))
    infer(running.client, "houses", tensor([1, 3], [1, 2]))
    metrics = running.client.get("/metrics").text
    assert 'evermodel_answer_seconds_count{form="v2",model="houses",version="7"} 1.0' in metrics
    assert 'request_predict_seconds_count{model_name="houses"}' in metrics
