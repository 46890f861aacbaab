"""All settings, in one frozen class, read from the environment (`TOCSIN_...`) or a `.env` file.

Only `wiring`, `app` and the commands read it; everything else gets values.
"""

import difflib
import os
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TOCSIN_"


class TimeMode(StrEnum):
    """What drives the judge: the machine's clock, or the newest message seen (replays, imports, demo)."""

    wall = "wall"
    event = "event"


class AuthMode(StrEnum):
    auto = "auto"
    on = "on"
    off = "off"


class Settings(BaseSettings):
    """Every setting with its default; unknown `TOCSIN_` variables are refused by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    # Where things are.
    store_url: str | None = Field(
        None,
        description="Redis 7+ or Valkey URL, `redis+cluster://host:port,host:port` for a cluster; empty: the embedded store",
    )
    store_replicas: int = Field(
        0, ge=0, description="replicas that must hold a message before it is accepted, a tick before it counts"
    )
    data_dir: Path = Field(Path("~/.local/share/tocsin"), description="folder of the embedded store")
    cache: Path = Field(Path("~/.cache/tocsin"), description="folder of the prepared encoder")
    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: int = Field(8765, ge=0, le=65535, description="port that the API listens on; 0 picks a free one")
    base_url: str | None = Field(None, description="address people reach the page at, for links in alerts")

    # Who may do what.
    auth: AuthMode = Field(AuthMode.auto, description="auto: keys asked for unless bound to loopback")
    admin_key: SecretStr | None = Field(None, description="a key with every scope, to begin with")
    hash_key: SecretStr | None = Field(
        None, description="secret for customer hashes; empty: made once and kept in the data folder"
    )

    # What may come in.
    max_text: int = Field(8_000, ge=1, description="longest text of a message, in characters")
    max_batch: int = Field(1_000, ge=1, description="most messages in one batch")
    max_body: int = Field(8 * 1024 * 1024, ge=1_024, description="largest request body, in bytes")
    max_import: int = Field(64 * 1024 * 1024, ge=1_024, description="largest file posted to `:import`, in bytes")
    max_backlog: int = Field(200_000, ge=1, description="waiting messages above which ingest answers 429")
    mappings: Path | None = Field(None, description="folder of your own mapping files, TOML or YAML")
    agent_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="attributes of groups of agents that may be kept, comma-separated"
    )
    agent_least: int = Field(5, ge=2, description="agents below which a group is not spoken of")
    order_ids: Literal["keep", "hash", "mask"] = Field("keep", description="order and tracking numbers in texts")

    # The stream.
    partitions: int = Field(4, ge=1, le=1_024, description="partitions; fixed once the store has data")
    workers: int = Field(1, ge=1, le=64, description="worker processes that `tocsin serve` starts")
    apis: int = Field(1, ge=1, le=64, description="API processes that `tocsin serve` starts, on one port; Linux alone")
    worker_batch: int = Field(64, ge=1, le=2_048, description="messages a worker takes at once")
    claim_after: timedelta = Field(timedelta(seconds=30), description="when a dead worker's work is taken over")
    max_deliveries: int = Field(5, ge=1, description="tries before a message is put aside as dead")

    # The encoder.
    encoder: str | None = Field(
        None,
        description="SentenceTransformer folder or hub id, or http addresses of encoders, comma-separated; "
        "empty: the packaged one",
    )
    encoder_backend: Literal["auto", "onnx", "torch"] = Field("auto", description="int8 ONNX where made, else torch")
    encoder_threads: int = Field(0, ge=0, description="threads of the encoder; 0: one per core, at most 4")
    encoder_cache: int = Field(50_000, ge=0, description="vectors kept for repeated texts")
    encoder_queue: int = Field(2_048, ge=1, description="texts waiting in `tocsin encoder` above which it answers 429")
    encoder_key: SecretStr | None = Field(None, description="key that `tocsin encoder` asks for and workers send")

    # Time and memory.
    time: TimeMode = Field(TimeMode.wall, description="wall, or event for imports and replays")
    grace: timedelta = Field(timedelta(seconds=60), description="how long a closed bucket takes late messages")
    keep_counts: timedelta = Field(timedelta(days=35), description="retention of counts by bucket")
    keep_cells: timedelta = Field(timedelta(days=14), description="retention of counts by attribute value")
    keep_seen: timedelta = Field(timedelta(days=2), description="how long a message id is remembered")
    keep_alerts: timedelta = Field(timedelta(days=400), description="retention of alerts")
    keep_messages: timedelta = Field(timedelta(days=90), description="longest that any message is kept")
    keep_context: timedelta = Field(timedelta(days=90), description="retention of pushed context")
    keep_orders: timedelta = Field(timedelta(days=90), description="retention of orders shipped, by day")
    keep_access: timedelta = Field(timedelta(days=180), description="retention of the log of who looked")
    samples_per_topic: int = Field(256, ge=10, description="newest messages kept for each topic")
    waiting: int = Field(20_000, ge=500, description="messages of no topic kept for discovery")
    recent: int = Field(20_000, ge=1_000, description="newest messages kept to see what crowds whatever its topic")

    # Topics and alerts.
    discover_first: int = Field(500, ge=50, description="messages before the first topics are made")
    discover_every: timedelta = Field(timedelta(hours=6), description="time between discoveries")
    false_alarms_per_week: float = Field(2.0, gt=0, le=1_000, description="the one knob: alarms that may be false")
    indicators: Path | None = Field(None, description="file of your own service indicators, TOML or YAML")
    indicators_part: float = Field(
        0.2, ge=0, lt=1, description="part of the false alarms for indicators, once one was posted; 0: none"
    )
    context: Path | None = Field(None, description="file of the sources of customers' context, TOML")
    cost_hour: float = Field(30.0, ge=0, description="cost of an hour's work")
    cost_handling: timedelta = Field(timedelta(hours=1), description="how long a ticket takes")
    cost_return: float = Field(0.0, ge=0, description="cost of handling a return")
    cost_margin: float = Field(0.0, ge=0, description="margin lost with an order that comes back")
    currency: str = Field("yuan", max_length=16, description="what money is called")
    receivers: Path | None = Field(None, description="file of receivers, TOML or YAML")
    webhooks: Annotated[tuple[str, ...], NoDecode] = Field((), description="receivers' URLs, comma-separated")
    webhook_secret: SecretStr | None = Field(None, description="whsec_ secret that signs webhooks")
    allow_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="inside hosts that webhooks may reach, comma-separated"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least grave log line shown")

    @field_validator("webhooks", "allow_hosts", "agent_groups", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("data_dir", "cache", "receivers", "mappings", "indicators", "context")
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else None

    @model_validator(mode="after")
    def _signed(self) -> "Settings":
        if self.webhooks and self.webhook_secret is None:
            raise ValueError("TOCSIN_WEBHOOKS needs TOCSIN_WEBHOOK_SECRET: whsec_ and base64 of 32 random bytes")
        return self

    @property
    def encoder_urls(self) -> tuple[str, ...]:
        """Addresses of the pool that embeds; none where this process does."""
        urls = tuple(part.strip() for part in (self.encoder or "").split(",") if part.strip())
        return urls if urls and all(url.startswith(("http://", "https://")) for url in urls) else ()

    @property
    def loopback(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")

    @property
    def auth_on(self) -> bool:
        """Whether a key is asked for: as set, else on everywhere but on loopback."""
        return self.auth is AuthMode.on or (self.auth is AuthMode.auto and not self.loopback)

    @property
    def public_url(self) -> str:
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that make another process read the same settings; defaults left out."""
    return {
        f"{PREFIX}{name.upper()}": _written(value)
        for name, value in settings
        if value != Settings.model_fields[name].default and value is not None
    }


def _written(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return ",".join(value)
        case timedelta():
            return f"PT{value.total_seconds():f}S"  # never 2.592e+06, which is no span
        case _:
            return str(value)


class UnknownSetting(ValueError):
    """A `TOCSIN_` variable that names no setting."""


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with ``overrides`` first.

    Raises `UnknownSetting` with the nearest name for a variable that names none, so that a typing error
    is never silently a default.
    """
    known = set(Settings.model_fields)
    for name in os.environ:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX).lower(), known, n=1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
            raise UnknownSetting(f"{name} is no setting of Tocsin{hint}")
    return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
