"""`tocsin keys make | list | end`: keys of the API, on the store that the settings name."""

from collections.abc import Awaitable, Callable, Sequence

from rich.console import Console
from rich.table import Table

from service.clock import wall_clock
from service.commands.onstore import on_store
from service.errors import NotFound, Refused
from service.store.apikeys import ApiKeys, Scope


def make(name: str, scopes: Sequence[str]) -> int:
    """Make a key and show it, this once."""
    unknown = [scope for scope in scopes if scope not in Scope.__members__]
    if unknown:
        raise Refused(f"--scope: {unknown[0]!r} is none of {', '.join(Scope)}")

    async def act(keys: ApiKeys) -> int:
        key, secret = await keys.make(name, [Scope(scope) for scope in scopes], wall_clock())
        print(secret)
        Console(stderr=True).print(f"key {key.id} ({', '.join(sorted(key.scopes))}); it is not shown again")
        return 0

    return _on_store(act)


def show() -> int:
    """List keys."""

    async def act(keys: ApiKeys) -> int:
        table = Table("id", "name", "scopes", "created", "ends")
        for key in await keys.all():
            ends = f"{key.ends_at:%Y-%m-%d %H:%M}" if key.ends_at else ""
            table.add_row(key.id, key.name, " ".join(sorted(key.scopes)), f"{key.created_at:%Y-%m-%d %H:%M}", ends)
        Console().print(table)
        return 0

    return _on_store(act)


def end(key_id: str) -> int:
    """Let a key end now."""

    async def act(keys: ApiKeys) -> int:
        if not await keys.end(key_id, wall_clock()):
            raise NotFound(f"there is no key {key_id!r}; 'tocsin keys list' lists them")
        return 0

    return _on_store(act)


def _on_store(act: Callable[[ApiKeys], Awaitable[int]]) -> int:
    return on_store(lambda store: act(ApiKeys(store)))
