"""`tocsin openapi`: the OpenAPI document, as it is checked in under docs/."""

import sys
from typing import cast

import orjson

from service.api.parts import ApiParts
from service.app import create_app


def run() -> int:
    """Print the document; nothing is started for it."""
    document = create_app(cast(ApiParts, None)).openapi()
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    return 0
