"""What the OpenAPI document promises is asked for and checked, by Schemathesis."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from server.calls import Calls
from server.config import Config
from server.rest.openapi import document
from server.rest.routes import Rest
from tests.server.rest.door import instant, served, server_on

DOCUMENT = document(Rest(Calls(Config(), instant().engines)).operations)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(server_on(instant())) as address:
        yield address


@SCHEMA.parametrize()
@settings(
    max_examples=10, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
def test_every_operation_keeps_its_promises(case: schemathesis.Case[Any], address: str) -> None:
    # What a schema cannot say of a valid request (that a file is audio) may be refused.
    case.call_and_validate(base_url=address, excluded_checks=[positive_data_acceptance])
