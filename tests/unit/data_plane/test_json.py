"""Bodies of requests through the real controller: exact numbers, and a field's name beside everything else."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.testing import TestClient
from unit.data_plane.builders import collection
from unit.data_plane.strategies import VALUES
from unit.data_plane_web.fakes import World, page_dependencies
from vivero_data.domain.auth.guards import AnyConnection
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.controllers import RecordController
from vivero_data.lib.json import JsonRequest, JsonResponse, decode, encode
from vivero_web.problem import Answers

PATH = "/collections/Things/records"
JSON = {"content-type": "application/json"}
HALF = '{"values": {"Text": "\\ud800"}}'


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    world = World()
    world.collections["Things"], world.records["Things"] = collection(), {}

    def enter(connection: AnyConnection, _: BaseRouteHandler) -> None:
        connection.scope["state"]["vivero_actor"] = world.actor

    app = Litestar(
        [RecordController],
        guards=[enter],
        # No test here writes a batch.
        dependencies={**page_dependencies(world), "record_batches": Provide(lambda: None, sync_to_thread=False)},
        request_class=JsonRequest,
        response_class=JsonResponse,
        exception_handlers={Exception: Answers(None).to},
        logging_config=None,
    )
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@given(VALUES[FieldType.NUMBER])
def test_numbers_keep_their_digits(number: Decimal) -> None:
    assert decode(encode([number])) == [number]


@pytest.mark.parametrize("number", ["99999999999999.99", "0.1", "-9999999999999999.99999999", "1E+3", "1e-8"])
def test_a_number_is_answered_as_it_was_sent(client: TestClient[Litestar], number: str) -> None:
    answer = client.post(PATH, content=f'{{"values": {{"Number": {number}}}}}', headers=JSON)
    assert answer.status_code == 201, answer.text
    assert decode(answer.content)["values"]["Number"] == Decimal(number)


@pytest.mark.parametrize("name", ["Number", "Integer", "Text", "Boolean", "Date", "Datetime", "Choice", "Email", "Url"])
@pytest.mark.parametrize(
    "literal", ["1e1000000", "-1e1000000", "1e-1000000", "1e" + "9" * 40, "NaN", "Infinity", "-Infinity", "9" * 100_000]
)
def test_what_no_field_holds_is_refused_by_name_and_costs_next_to_nothing(
    client: TestClient[Litestar], name: str, literal: str
) -> None:
    begun = time.process_time()
    answer = client.post(PATH, content=f'{{"values": {{"{name}": {literal}}}}}', headers=JSON)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [name]
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "body", ["{", '{"values": {"Number": 1,}}', "[" * 100_000, "\ufeff", '{"values": 0x1}', HALF, f"[{HALF}, NaN]"]
)
def test_what_is_no_json_is_a_bad_request(client: TestClient[Litestar], body: str) -> None:
    assert client.post(PATH, content=body, headers=JSON).status_code == 400
