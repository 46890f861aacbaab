"""The templates of docs/ways-in.md are what the code takes."""

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.api.messages import read
from service.pipeline.mapping import packaged, read_mapping

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ways-in.md").read_text()
NOW = datetime(2026, 3, 10, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_body_shown_is_a_message() -> None:
    for block in blocks("json"):
        raw = read(json.loads(re.sub(r"\{\{#.*?#\}\}", "filled", block)), NOW)
        assert raw.text == "filled" and raw.customer_id == "filled"


def test_the_code_nodes_make_messages_of_words_with_quotation_marks() -> None:
    dify = next(block for block in blocks("python") if "def main(query" in block)
    inside: dict[str, Any] = {}
    exec(compile(dify, "dify", "exec"), inside)
    body = inside["main"]('he said "broken"\n', "c1", "m1")["body"]
    assert read(json.loads(body), NOW).text == 'he said "broken"\n'


def test_every_python_shown_is_python() -> None:
    assert len(blocks("python")) >= 3
    for number, block in enumerate(blocks("python")):
        compile(block, f"block {number}", "exec")


def test_the_mapping_shown_can_be_read_and_signed() -> None:
    (block,) = blocks("toml")
    mapping = read_mapping(tomllib.loads(block), {"HELPDESK_SECRET": "x"})
    assert (mapping.name, mapping.proof is not None) == ("helpdesk", True)
    (found,) = mapping.apply({"data": {"messages": [{"kind": "guest", "body": {"html": "hi"}, "id": 1}]}})
    assert read(found, NOW).text == "hi"


def test_every_packaged_mapping_is_named_in_the_readme() -> None:
    for name in packaged({}):
        for page in ("README.md", "README.zh-CN.md"):
            assert f"/{name}`" in (ROOT / page).read_text(), name
