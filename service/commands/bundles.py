"""`tocsin bundles list | show | take | promote | rollback`: what training made, put before the service and taken back."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.bundle import BundleError, load, read_manifest
from models.topic import TopicState
from service.clock import wall_clock
from service.commands.onstore import on_rooms
from service.errors import Refused
from service.pipeline.carry import carry, drained
from service.pipeline.take import take
from service.settings import Settings, load_settings
from service.store.model import VersionedModel
from service.wiring import Rooms, build_embedder, build_promotion


def show_all() -> int:
    """List the bundles in the data folder, which one is live, and the last promotions."""

    async def act(rooms: Rooms) -> int:
        live = (await rooms.models.current()).bundle
        shelf = _shelf(load_settings())
        bundles = Table("bundle", "made", "learnt from", "encoder", "objections", title=f"bundles in {shelf}")
        for folder in sorted(path for path in shelf.glob("[!.]*") if path.is_dir()):
            bundles.add_row(*_row(folder, live))
        promotions = Table("promoted", "bundle", "in the place of", "reason")
        for one in await rooms.models.promotions():
            promotions.add_row(f"{one.at:%Y-%m-%d %H:%M}", one.bundle or "(none)", one.before or "(none)", one.reason)
        console = Console()
        console.print(bundles)
        console.print(promotions)
        return 0

    return on_rooms(act)


def show(name: str) -> int:
    """Check one bundle and print its manifest."""
    folder = _folder(name)
    bundle = load(folder)
    console = Console()
    console.print_json(bundle.manifest.model_dump_json())
    states = [topic.state for topic in bundle.topics.topics]
    console.print(f"whole; {states.count(TopicState.LIVE)} topics live, {states.count(TopicState.RETIRED)} retired")
    return 0


def take_live(folder: Path) -> int:
    """Write what the service knows now, with the messages it keeps, as a bundle to retrain from."""

    async def act(rooms: Rooms) -> int:
        manifest = await take(rooms.models, rooms.adapters, rooms.pools, folder, wall_clock())
        print(f"{folder}: {manifest.data.messages} redacted messages, topics of {manifest.encoder.name}")
        return 0

    return on_rooms(act)


def promote(name: str, force: str | None) -> int:
    """Put a bundle live, then carry the kept messages over; killed anywhere, the same command goes on."""
    bundle = load(_folder(name))

    async def act(rooms: Rooms) -> int:
        promotion = await build_promotion(load_settings(), rooms)
        current = await promotion.promote(bundle, wall_clock(), force)
        await _carry(rooms, current)
        print(f"{current.bundle} is live, for all messages that came in since it was promoted")
        return 0

    return on_rooms(act)


def roll_back() -> int:
    """Put back what was live before the last promotion."""

    async def act(rooms: Rooms) -> int:
        promotion = await build_promotion(load_settings(), rooms)
        current = await promotion.roll_back(wall_clock())
        await _carry(rooms, current)
        print(f"{current.bundle or 'what the service had found itself'} is live again")
        return 0

    return on_rooms(act)


async def _carry(rooms: Rooms, current: VersionedModel) -> None:
    """Embed kept messages again where the space has changed, with progress."""
    if current.model is None or current.before is None or current.model.embedder == current.before.embedder:
        return
    settings = load_settings()
    embedder = build_embedder(settings, adapter=await rooms.adapters.get(current.model.embedder))
    await drained(rooms.inbox, current)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("kept messages", total=await rooms.pools.strange_count(current.topics, embedder.name))
        await carry(rooms.pools, embedder, current, lambda count: bar.advance(task, count))


def _row(folder: Path, live: str) -> tuple[str, str, str, str, str]:
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        return folder.name, "", "", "", str(error)
    return (
        f"{folder.name} (live)" if manifest.full_name == live else folder.name,
        f"{manifest.made:%Y-%m-%d %H:%M}",
        f"{manifest.data.messages} messages, {manifest.data.labelled} labelled",
        manifest.encoder.name,
        "; ".join(manifest.objections),
    )


def _shelf(settings: Settings) -> Path:
    return settings.data_dir / "bundles"


def _folder(name: str) -> Path:
    """A bundle by its folder, or by its name among those in the data folder."""
    for folder in (Path(name), _shelf(load_settings()) / name):
        if folder.is_dir():
            return folder
    raise Refused(f"there is no bundle {name!r}, neither as a folder nor in {_shelf(load_settings())}")
