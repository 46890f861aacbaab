"""Whatever is asked of the API, it answers as its document says and never breaks."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from service.api.parts import ApiParts
from service.app import create_app
from tests.flows.conftest import Stage

# One never ends, the others wait for a worker or a delivery that do not run here.
LEFT_OUT = ["/v1/alerts/stream", "/v1/known-issues", "/v1/receivers/{name}/test"]
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


schema = schemathesis.openapi.from_dict(create_app(cast(ApiParts, None)).openapi()).exclude(path=LEFT_OUT)


@pytest.fixture(scope="module")
def address(shared_stage: Stage) -> Iterator[str]:
    shared_stage.start("api")
    with shared_stage.client() as client:
        yield str(client.base_url).rstrip("/")


# Files and lines of JSON have tests of their own; what is generated here is JSON.
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types")
@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_request_is_answered_as_the_document_says(case: Any, address: str) -> None:
    (case.query or {}).pop("wait", None)  # no worker runs that could answer
    case.call_and_validate(base_url=address, checks=CHECKS, timeout=20)
