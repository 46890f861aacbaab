"""Every contract holds on each store we promise: the embedded Valkey, Debian's redis-server, and a cluster of three."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from service.clock import sleep_until
from service.store.embedded import EmbeddedStore
from service.store.redis import Store
from tests.loopback import loopback

ON_CLUSTER = (
    "test_alert_book",
    "test_customers",
    "test_delivery",
    "test_feedback",
    "test_inbox_and_counts",
    "test_vigil",
)
_REDIS = shutil.which("redis-server")


def _embedded(folder: Path) -> Iterator[str]:
    with EmbeddedStore(folder, durable=False) as store:
        yield store.url


def _debian(folder: Path) -> Iterator[str]:
    if _REDIS is None:
        pytest.skip("redis-server is not installed; .ci/run installs it")
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    process = subprocess.Popen([_REDIS, *options], stdout=subprocess.DEVNULL)
    try:
        assert sleep_until(lambda: _answers(socket), seconds=30)
        yield f"unix://{socket}"
    finally:
        process.terminate()
        process.wait()


def _answers(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _cluster(folder: Path) -> Iterator[str]:
    with loopback(folder, replicas=False) as cluster:
        yield cluster.url


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """What is quick runs on the cluster too; the rest uses no other commands, and is run there by ``-k cluster``."""
    if config.getoption("keyword"):
        return
    left = [one for one in items if "[cluster" not in one.name or one.path.stem in ON_CLUSTER]
    config.hook.pytest_deselected(items=[one for one in items if one not in left])
    items[:] = left


@pytest.fixture(scope="session", params=["embedded", "debian", "cluster"])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    yield from {"embedded": _embedded, "debian": _debian, "cluster": _cluster}[request.param](folder)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An empty store."""
    store = Store.connect(store_url)
    await store.client.flushall()
    yield store
    await store.close()
