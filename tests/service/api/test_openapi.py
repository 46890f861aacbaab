"""The OpenAPI document: whole, true to its own examples, and the same as the one checked in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest

from service.api.docs import page
from service.api.openapi import ASKED, TOLD
from service.api.parts import ApiParts
from service.app import create_app

CHECKED_IN = Path(__file__).parents[3] / "docs" / "openapi.json"
DOCUMENT: dict[str, Any] = create_app(cast(ApiParts, None)).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that an operation is sent or answers, with its media type; errors are all alike."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            yield from response.get("content", {}).items()


def valid(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    return [str(error.message) for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]


def test_the_document_checked_in_is_that_of_the_code() -> None:
    said = "write it anew: .venv/bin/tocsin openapi > docs/openapi.json"
    assert json.loads(CHECKED_IN.read_text()) == json.loads(json.dumps(DOCUMENT)), said


def test_it_is_openapi_3_1_with_unique_names() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_does_asks_and_answers(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["description"] and operation["tags"]
    assert operation["security"]
    assert operation["responses"]["default"]
    answers = [response for status, response in operation["responses"].items() if status.startswith("2")]
    assert answers
    if name.startswith("DELETE "):
        return
    assert name in TOLD, f"add a line for {name} to TOLD in service/api/openapi.py"
    for media, content in contents(operation):
        if media == "application/json":
            assert content["schema"].get("additionalProperties") is not True, f"{name}: name the shape of its answer"
            assert "example" in content, f"add an example for {name} to TOLD or ASKED in service/api/openapi.py"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_example_is_what_its_schema_says(name: str) -> None:
    for media, content in contents(OPERATIONS[name]):
        if "json" in media and "example" in content:
            assert valid(content["schema"], content["example"]) == []


def test_nothing_is_described_that_does_not_exist() -> None:
    assert TOLD.keys() - OPERATIONS.keys() == set()
    assert ASKED.keys() - OPERATIONS.keys() == set()


def test_every_reference_leads_somewhere() -> None:
    for reference in re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(DOCUMENT)):
        found: Any = DOCUMENT
        for step in reference.split("/"):
            found = found[step]


def test_the_page_shows_every_operation_without_a_script_or_a_foreign_host() -> None:
    html = page(DOCUMENT)
    for name in OPERATIONS:
        method, path = name.split()
        assert f"<code>{path}</code>" in html and f">{method}<" in html
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!#|openapi\.json)', html)
    assert len(html) < 340_000
