"""One browser a run; one service, and so one origin with nothing remembered, a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.service.web.person import CHROMIUM, DRIVER, LAPTOP, Person, open_browser
from tests.service.web.stage import Stage, Theatre, build


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="session")
def browser(folder: Path) -> Iterator[Chrome]:
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("no chromium and chromedriver here; apt-get install chromium chromium-driver")
    chrome = open_browser(folder)
    yield chrome
    chrome.quit()


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def url(stage: Stage) -> Iterator[str]:
    with Theatre(build(stage)) as address:
        yield address
        stage.cut += 1


@pytest.fixture
def person(browser: Chrome, folder: Path, url: str) -> Iterator[Person]:
    """A person who reads English, at a laptop, in light; their browser must have nothing to complain of."""
    someone = Person(browser, url, folder / "downloads")
    someone.speaks("en").holds(LAPTOP).prefers("light")
    yield someone
    complaints = someone.complaints()
    strangers = [one for one in someone.requests() if one.startswith(("http", "ws")) and not one.startswith(url)]
    someone.leaves()
    assert complaints == []
    assert strangers == []
