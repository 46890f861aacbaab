"""`/docs`: the OpenAPI document as a page of our own. No script, nothing from a foreign host."""

import base64
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from service.api.problem import MEDIA_TYPE

router = APIRouter()

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:60rem;padding:1rem}
h1{margin-bottom:0}h2{margin-top:2.5rem;border-bottom:1px solid}
details{margin:.5rem 0;border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:.4rem}
summary{padding:.5rem .75rem;cursor:pointer}details>div{padding:0 .75rem .75rem}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{overflow:auto;max-height:28rem;padding:.6rem;
background:color-mix(in srgb,currentColor 7%,transparent);border-radius:.3rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0}
b.method{display:inline-block;min-width:4.5rem}
"""
_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The page."""
    return Response(page(request.app.openapi()), media_type="text/html; charset=utf-8", headers=_HEADERS)


def page(document: Mapping[str, Any]) -> str:
    """The whole document as HTML: every operation by tag, with its parameters, a request and an answer."""
    parts = "".join(_tag(document, tag["name"], tag["description"]) for tag in document["tags"])
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        f'<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI {escape(document["openapi"])}). '
        f"Send the header <code>Authorization: Bearer KEY</code> wherever keys are asked for.</p>"
        f"<main>{parts}</main>{_schemas(document)}</html>"
    )


def _tag(document: Mapping[str, Any], name: str, description: str) -> str:
    found = [
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if name in operation.get("tags", ())
    ]
    return f"<h2>{escape(name)}</h2><p>{escape(description)}</p>{''.join(found)}"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    scopes = [scope for one in operation["security"] for scope in one.get("bearer", ())]
    key = f"a key with the scope <code>{escape(scopes[0])}</code>" if scopes else "no key"
    inside = "".join((_parameters(operation), *_body(operation), *_answers(operation)))
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b class="method">{method.upper()}</b>'
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary><div><p>{_words(operation['description'])}</p>"
        f"<p>Asks for {key}.</p>{inside}</div></details>"
    )


def _words(text: str) -> str:
    """A docstring with its names as code."""
    return re.sub(r"``?(.+?)``?", r"<code>\1</code>", escape(text))


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}"
        f"{', required' if one.get('required') else ''}</td><td>{escape(_kind(one['schema']))}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", ())
    )
    return f"<h3>Parameters</h3><table>{rows}</table>" if rows else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """A parameter's type in words."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    default = f", default {schema['default']}" if schema.get("default") is not None else ""
    return f"{schema.get('format', schema.get('type', 'any'))}{default}"


def _body(operation: Mapping[str, Any]) -> Iterator[str]:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<h3>Send <code>{escape(media)}</code></h3>{_shown(content)}"


def _answers(operation: Mapping[str, Any]) -> Iterator[str]:
    for status, response in operation["responses"].items():
        for media, content in response.get("content", {}).items():
            yield f"<h3>Answer {escape(status)} <code>{escape(media)}</code></h3>{_shown(content)}"
    yield f"<p>Errors are <code>{MEDIA_TYPE}</code>.</p>"


def _shown(content: Mapping[str, Any]) -> str:
    reference = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    link = f'<p><a href="#schema-{escape(reference)}">{escape(reference)}</a></p>' if reference else ""
    return link + (_pre(content["example"]) if "example" in content else "")


def _schemas(document: Mapping[str, Any]) -> str:
    found = "".join(
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary><div>{_pre(schema)}</div></details>'
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return f"<h2>Shapes</h2>{found}"


def _pre(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return f"<pre>{escape(text)}</pre>"
