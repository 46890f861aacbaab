"""Sources of context: a query over SQLAlchemy, and an HTTP address with a place for what is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from models.agents import AgentRules, part
from models.context import Join, Piece, PieceKind
from models.redact import redact
from models.times import parse_time
from service.pipeline.context import SourceAway

_MOST = 100  # rows of one answer
_POOL = 4
_JOINED = ("id", "at", "order", "tracking")


class SqlSource:
    """A query with one parameter, named like what it is asked by (``:customer``, ``:order``, ``:tracking``).

    Columns ``id``, ``at``, ``order`` and ``tracking`` are known; all others are shown as they are named. The driver
    waits in a thread, on a connection that nothing is written over (rolled back after each answer).
    """

    def __init__(self, name: str, kind: PieceKind, by: Join, url: str, query: str) -> None:
        from sqlalchemy import create_engine, text  # 15 MB: only where there is a database

        self._name, self._kind, self._by = name, kind, by
        self._engine = create_engine(url, pool_size=_POOL, pool_pre_ping=True, hide_parameters=True)
        self._query = text(query)
        # Threads of its own, so that one slow database keeps no other waiting.
        self._threads = ThreadPoolExecutor(_POOL, thread_name_prefix=name)

    async def find(self, value: str) -> Sequence[Piece]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._threads, self._rows, value)
        except (SQLAlchemyError, OSError):
            raise SourceAway("away") from None
        return [piece_of(self._name, self._kind, row) for row in rows]

    def _rows(self, value: str) -> list[Mapping[str, Any]]:
        with self._engine.connect() as connection:
            found = connection.execute(self._query, {self._by.value: value})
            return [dict(row) for row in found.mappings().fetchmany(_MOST)]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()


class HttpSource:
    """An address with ``{customer}``, ``{order}`` or ``{tracking}`` in it, that answers a JSON array of objects, or an
    object with one under ``items``. Redirects are not followed, so that a key goes nowhere else."""

    def __init__(self, name: str, kind: PieceKind, by: Join, url: str, key: str | None) -> None:
        self._name, self._kind, self._by, self._url = name, kind, by, url
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(headers=headers, follow_redirects=False)

    async def find(self, value: str) -> Sequence[Piece]:
        try:
            answer = await self._client.get(self._url.replace("{" + self._by.value + "}", quote(value, safe="")))
        except httpx.HTTPError:
            raise SourceAway("away") from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        if answer.status_code != httpx.codes.OK:
            raise SourceAway("refused")
        try:
            body = answer.json()
            rows = body["items"] if isinstance(body, dict) else body
            return [piece_of(self._name, self._kind, row) for row in rows[:_MOST]]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceAway("unreadable") from None

    async def close(self) -> None:
        await self._client.aclose()


def piece_of(source: str, kind: PieceKind, row: Mapping[str, Any]) -> Piece:
    """A row of a source as a piece; free text in it is redacted, and what is about agents left out. Raises ``KeyError`` where it
    has no id.

    >>> piece_of("erp", PieceKind.order, {"id": 7, "at": "2026-03-02", "sku": "PB-20", "agent_id": "a7"}).fields
    {'sku': 'PB-20'}
    """
    told = {str(name): str(value) for name, value in row.items() if name not in _JOINED and value is not None}
    fields: dict[str, str] = {name: redact(value).text for name, value in part(told, AgentRules()).attributes.items()}
    return Piece(
        kind, str(row["id"]), source, _time(row.get("at")), _word(row.get("order")), _word(row.get("tracking")), fields
    )


def _time(value: object) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return parse_time(str(value))
    except ValueError:
        return None


def _word(value: object) -> str | None:
    return None if value is None else str(value)
