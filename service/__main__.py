"""The command line of `tocsin`. Heavy modules are imported by the command that needs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="tocsin",
    help="Listens to what customers say and rings when one complaint suddenly grows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="Keys of the API.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
mapping_app = typer.Typer(help="How other programs' events become messages.", no_args_is_help=True)
app.add_typer(mapping_app, name="mapping")
bundles_app = typer.Typer(help="What training made: put live, taken back.", no_args_is_help=True)
app.add_typer(bundles_app, name="bundles")
failures_app = typer.Typer(help="Notifications that were given up.", no_args_is_help=True)
app.add_typer(failures_app, name="failures")

Host = Annotated[str | None, typer.Option(help="Address to listen on (TOCSIN_HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one (TOCSIN_PORT).")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded store (TOCSIN_DATA_DIR).")]


@app.command()
def serve(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """Run everything: the embedded store (unless TOCSIN_STORE_URL names one), API, workers, judge, delivery."""
    from service.commands.serve import serve as run

    _run(lambda: run(host=host, port=port, data_dir=data_dir))


@app.command()
def api(host: Host = None, port: Port = None) -> None:
    """Run the API alone, on the store that TOCSIN_STORE_URL names."""
    from service.commands.roles import run_role

    _run(lambda: run_role("api", host=host, port=port))


@app.command()
def worker() -> None:
    """Run one worker alone."""
    from service.commands.roles import run_role

    _run(lambda: run_role("worker"))


@app.command()
def judge() -> None:
    """Run a judge alone; several stand by for one another."""
    from service.commands.roles import run_role

    _run(lambda: run_role("judge"))


@app.command()
def deliver() -> None:
    """Run the delivery of notifications alone."""
    from service.commands.roles import run_role

    _run(lambda: run_role("deliver"))


@app.command()
def encoder(host: Host = None, port: Port = None) -> None:
    """Serve the encoder alone, to workers whose TOCSIN_ENCODER names it."""
    from service.commands.roles import run_encoder

    _run(lambda: run_encoder(host=host, port=port))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or Parquet.")],
    text: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    time: Annotated[str, typer.Option(help="Column of the time.")] = "timestamp",
    message_id: Annotated[str | None, typer.Option("--id", help="Column of the message's id.")] = None,
    customer: Annotated[str | None, typer.Option(help="Column of the customer.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="Column of an attribute; may be repeated.")] = None,
    channel: Annotated[str | None, typer.Option(help="Column of the channel.")] = None,
    campaigns: Annotated[Path | None, typer.Option(help="CSV of announced promotions: start, end, name.")] = None,
    orders: Annotated[
        Path | None, typer.Option(help="CSV of orders shipped: day, orders; other columns are attributes.")
    ] = None,
    budget: Annotated[float, typer.Option(help="False alarms a week.")] = 2.0,
    from_: Annotated[str | None, typer.Option("--from", help="Raise alerts from this time on.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the alerts to this file.")] = None,
    hindsight: Annotated[
        bool, typer.Option("--hindsight", help="Say when mean + 3 sd and a weekly review would have noticed.")
    ] = False,
    compare: Annotated[
        list[float] | None, typer.Option(help="Another budget to replay under and set beside; may be repeated.")
    ] = None,
    compare_json: Annotated[Path | None, typer.Option(help="Write what each budget comes to to this file.")] = None,
) -> None:
    """Put a file of messages through the real pipeline in event time, and print the alerts in order."""
    from service.commands.replay import run
    from service.tables import Columns

    columns = Columns(text, time, message_id, customer, channel, None, tuple(attribute or ()), "replay")
    _run(
        lambda: run(
            file,
            columns,
            campaigns=campaigns,
            orders=orders,
            budget=budget,
            start=from_,
            json_out=json_out,
            hindsight=hindsight,
            compare=tuple(compare or ()),
            compare_out=compare_json,
        )
    )


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL or Parquet.")],
    text: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    time: Annotated[str, typer.Option(help="Column of the time.")] = "occurred_at",
    message_id: Annotated[str | None, typer.Option("--id", help="Column of the message's id.")] = None,
    customer: Annotated[str | None, typer.Option(help="Column of the customer.")] = None,
    order: Annotated[str | None, typer.Option(help="Column of the order.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="Column of an attribute; may be repeated.")] = None,
    channel: Annotated[str | None, typer.Option(help="Column of the channel.")] = None,
    source: Annotated[str, typer.Option(help="What the messages come from.")] = "import",
    url: Annotated[str | None, typer.Option(help="Address of the service (TOCSIN_BASE_URL, TOCSIN_PORT).")] = None,
    key: Annotated[str | None, typer.Option(help="Key with the scope ingest (TOCSIN_ADMIN_KEY).")] = None,
) -> None:
    """Send a file of messages to a service that runs; the same file again doubles nothing."""
    from service.commands.imports import run
    from service.tables import Columns

    columns = Columns(text, time, message_id, customer, channel, order, tuple(attribute or ()), source)
    _run(lambda: run(file, columns, url=url, key=key))


@app.command()
def chat(
    url: Annotated[str | None, typer.Option(help="Address of the service (TOCSIN_BASE_URL, TOCSIN_PORT).")] = None,
    key: Annotated[str | None, typer.Option(help="Key with the scope ingest (TOCSIN_ADMIN_KEY).")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    spool: Annotated[Path, typer.Option(help="File that messages wait in while the service is away.")] = Path(
        "tocsin.spool"
    ),
) -> None:
    """A worked example: a chatbot on the terminal that says so where an issue is known."""
    from service.commands.chat import run

    _run(lambda: run(url=url, key=key, language=language, spool=spool))


@app.command()
def prepare(cache: Annotated[Path | None, typer.Option(help="Folder to prepare in (TOCSIN_CACHE).")] = None) -> None:
    """Make the encoder ready: unpack, prune, export; once, checked."""
    from service.commands.prepare import run

    _run(lambda: run(cache))


@app.command()
def cost(
    tickets: Annotated[float, typer.Option(help="Avoidable tickets a day.")] = 100.0,
    minutes: Annotated[float, typer.Option(help="Minutes that a ticket takes.")] = 60.0,
    hour: Annotated[float, typer.Option(help="Cost of an hour's work.")] = 30.0,
    days: Annotated[int, typer.Option(help="Length of the month.")] = 30,
    currency: Annotated[str, typer.Option(help="What money is called.")] = "yuan",
) -> None:
    """Say what avoidable tickets cost a day and a month; the default is the usual example."""
    from service.commands.cost import run

    _run(lambda: run(tickets, minutes, hour, days, currency))


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of this version."""
    from service.commands.openapi import run

    _run(run)


@app.command()
def doctor() -> None:
    """Check this machine and the settings, and say what to mend."""
    from service.commands.doctor import run

    _run(run)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the alert; status 1 where none comes.")] = False,
    port: Port = None,
) -> None:
    """Show the whole story: a synthesised week over real HTTP, a bad batch, an alert."""
    from service.commands.demo import run

    _run(lambda: run(once=once, port=port))


@keys_app.command("make")
def make_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option(help="ingest, read or admin; may be repeated.")],
) -> None:
    """Make a key; it is shown once."""
    from service.commands.keys import make

    _run(lambda: make(name, scope))


@keys_app.command("list")
def list_keys() -> None:
    """List keys, never their secrets."""
    from service.commands.keys import show

    _run(show)


@keys_app.command("end")
def end_key(key_id: str) -> None:
    """Let a key end now."""
    from service.commands.keys import end

    _run(lambda: end(key_id))


@mapping_app.command("list")
def list_mappings() -> None:
    """List the mappings there are, packaged and of your own (TOCSIN_MAPPINGS)."""
    from service.commands.mapping import show

    _run(show)


@mapping_app.command("test")
def test_mapping(
    file: Annotated[str, typer.Argument(help="A mapping file, or the name of one that is there.")],
    sample: Annotated[Path, typer.Argument(help="JSON of a request, as the platform sends it.")],
) -> None:
    """Show what a mapping makes of a sample; status 1 where it makes no message of it."""
    from service.commands.mapping import test

    _run(lambda: test(file, sample))


@bundles_app.command("list")
def list_bundles() -> None:
    """List the bundles in the data folder, which one is live, and the last promotions."""
    from service.commands.bundles import show_all

    _run(show_all)


@bundles_app.command("show")
def show_bundle(bundle: Annotated[str, typer.Argument(help="Folder, or a name in the data folder.")]) -> None:
    """Check a bundle and print its manifest."""
    from service.commands.bundles import show

    _run(lambda: show(bundle))


@bundles_app.command("take")
def take_bundle(folder: Annotated[Path, typer.Argument(help="Folder to write; it must not be there yet.")]) -> None:
    """Write what the service knows now, with the redacted messages it keeps, to retrain from."""
    from service.commands.bundles import take_live

    _run(lambda: take_live(folder))


@bundles_app.command("promote")
def promote_bundle(
    bundle: Annotated[str, typer.Argument(help="Folder, or a name in the data folder.")],
    force: Annotated[str | None, typer.Option(help="Why it goes live although there are objections.")] = None,
) -> None:
    """Put a bundle live, without a restart or a lost message; killed anywhere, the same command goes on."""
    from service.commands.bundles import promote

    _run(lambda: promote(bundle, force))


@bundles_app.command("rollback")
def roll_back_bundle() -> None:
    """Put back what was live before the last promotion."""
    from service.commands.bundles import roll_back

    _run(roll_back)


@failures_app.command("list")
def list_failures() -> None:
    """List notifications that were given up, with the reason."""
    from service.commands.undelivered import show

    _run(show)


@failures_app.command("replay")
def replay_failures(
    receiver: Annotated[str | None, typer.Option(help="Only those to this receiver.")] = None,
) -> None:
    """Make notifications that were given up due again."""
    from service.commands.undelivered import replay as run

    _run(lambda: run(receiver))


def _run(command: Callable[[], object]) -> None:
    """Run a command; what the user can mend is one clear line and status 2, not a traceback."""
    from service.commands.failures import run_command

    raise typer.Exit(run_command(command))


def main() -> None:
    """Entry point of `tocsin`."""
    app()


if __name__ == "__main__":
    main()
