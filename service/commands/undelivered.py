"""`tocsin failures`: notifications that were given up, and how to bring them back."""

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.plain import one_line
from service.clock import wall_clock
from service.commands.onstore import on_store
from service.store.outbox import Outbox
from service.store.redis import Store


def show() -> int:
    """List what was given up, newest first."""

    async def act(store: Store) -> int:
        table = Table("given up at (UTC)", "receiver", "reason", "tries", "what", "entry")
        for one in await Outbox(store).given_up():
            payload = orjson.loads(one.payload)
            what = f"{payload['type']} {payload['data'].get('alert_id', '')}"
            cells = (f"{one.at:%Y-%m-%d %H:%M}", one.receiver, one.reason, str(one.attempts), what, one.entry)
            table.add_row(*(Text(one_line(cell, 80)) for cell in cells))
        Console().print(table)
        return 0

    return on_store(act)


def replay(receiver: str | None) -> int:
    """Make what was given up due again, all or that of one receiver."""

    async def act(store: Store) -> int:
        print(await Outbox(store).requeue(wall_clock(), receiver=receiver))
        return 0

    return on_store(act)
