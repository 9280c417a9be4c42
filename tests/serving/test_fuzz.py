"""Whatever is asked: an answer that the server's own OpenAPI document knows, and never a failure."""

import json
from math import prod

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serving.conftest import TRIP, champion
from tests.serving.test_protocol import columns

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

OFTEN = settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
SCALAR = strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats()
VALUE = SCALAR | strategies.text() | strategies.lists(SCALAR, max_size=3)
DATATYPE = strategies.sampled_from(["FP64", "UINT8", "BYTES", "BOOL"])
SHAPES = {"houses": [2, 2], "prices": [1, 3, 2], "reviews": [3]}
NAMES = ("houses", "trips", "prices", "reviews", "masks", "digits", None)  # None: whatever comes into mind


@pytest.fixture
def interface(start):
    """The server's interface as it describes it, with a challenger that answers half of what is asked."""
    running = start(share=0.5)
    running.challengers.take("houses", champion("houses", 2))
    return schemathesis.openapi.from_asgi("/openapi.json", running.app)


@pytest.mark.all
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_request_gets_an_answer_that_is_described(interface, mode):
    for operation in interface.get_all_operations():
        # There is no wrong way to ask for what takes nothing.
        if operation.ok().body or mode is GenerationMode.POSITIVE:
            fuzz(operation.ok(), mode)


def fuzz(operation, mode):
    """Requests for one operation: as its description has them (positive), or not (negative)."""

    @OFTEN
    @given(operation.as_strategy(generation_mode=mode), strategies.sampled_from(NAMES))
    def ask(case, name):
        if name:
            case.path_parameters = dict.fromkeys(case.path_parameters, name)
        case.call_and_validate(checks=CHECKS)

    ask()


@pytest.mark.parametrize("name", SHAPES)
def test_whatever_a_tensor_holds_it_is_answered_or_refused(client, name):
    size = prod(SHAPES[name])

    @OFTEN
    @given(
        strategies.lists(VALUE, min_size=size, max_size=size + 1),
        DATATYPE,
    )
    def ask(values, datatype):
        tensor = {"name": "x", "shape": SHAPES[name], "datatype": datatype, "data": values}
        answer = post(client, f"/v2/models/{name}/infer", {"inputs": [tensor]})
        assert answer.status_code in (200, 400, 422), answer.text
        assert ("error" in answer.json()) == (answer.status_code != 200)

    ask()


@pytest.mark.parametrize(("name", "columns"), [("houses", "abc"), ("trips", list(TRIP))])
def test_whatever_a_row_holds_it_is_answered_or_refused(client, name, columns):
    row = strategies.dictionaries(strategies.sampled_from(columns), VALUE)

    @OFTEN
    @given(strategies.lists(row, max_size=6))
    def ask(rows):
        whole = [{**TRIP, **row} for row in rows] if name == "trips" else rows
        answer = post(client, f"/predict/{name}", {"rows": whole})
        assert answer.status_code in (200, 400, 422), answer.text
        assert ("error" in answer.json()) == (answer.status_code != 200)

    ask()


def test_whatever_the_tensor_of_a_column_holds_it_is_answered_or_refused(client):
    @OFTEN
    @given(strategies.sampled_from(list(TRIP)), strategies.lists(VALUE, min_size=2, max_size=3), DATATYPE)
    def ask(name, values, datatype):
        tensors = columns(2, **{name: {"data": values, "datatype": datatype}})
        answer = post(client, "/v2/models/trips/infer", tensors)
        assert answer.status_code in (200, 400, 422), answer.text
        assert ("error" in answer.json()) == (answer.status_code != 200)

    ask()


def post(client, path, body):
    """As json.dumps has it, NaN and Infinity included."""
    content = json.dumps(body)
    return client.post(path, content=content, headers={"content-type": "application/json"})
