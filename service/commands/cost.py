"""`tocsin cost`: the plain calculation of what avoidable tickets cost, and what it is made of."""

from datetime import timedelta

from rich.console import Console
from rich.table import Table

from models.cost import Rates, burden
from service.errors import Refused


def run(tickets: float, minutes: float, hour: float, days: int, currency: str) -> int:
    """Print it. Raises `Refused` for figures that cannot be."""
    if min(tickets, minutes, hour) < 0 or days < 1:
        raise Refused("--tickets, --minutes and --hour must not be negative, --days is 1 or more")
    rates = Rates(hour=hour, handling=timedelta(minutes=minutes), currency=currency)
    found = burden(rates, tickets, days)
    table = Table("what", currency, "how")
    table.add_row("a ticket", f"{rates.ticket:,.2f}", f"{minutes:g} min at {hour:g} an hour")
    table.add_row("a day", f"{found.a_day:,.0f}", f"{tickets:g} tickets")
    table.add_row(f"{days} days", f"{found.in_all:,.0f}", f"{days} times that")
    Console().print(table)
    return 0
