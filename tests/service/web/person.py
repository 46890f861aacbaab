"""A person at the page: a real browser, with what it asked of the network and what it complained of."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

_AXE = files("axe_core_python").joinpath("axe.min.js")
CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")
LAPTOP = (1280, 900)
PHONE = (390, 844)

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE = 20  # seconds; a busy machine is slow, and nothing here is timed


def open_browser(folder: Path) -> Chrome:
    """A browser without a past, its data in ``folder``."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    downloads = folder / "downloads"
    downloads.mkdir()
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options=options, service=Service(str(DRIVER)))


@dataclass
class Person:
    """One person with one tab on one service."""

    browser: Chrome
    url: str
    downloads: Path
    asked: list[str] = field(default_factory=list)

    def speaks(self, language: str) -> "Person":
        """Set the language that the browser asks for."""
        agent = self.browser.execute_script("return navigator.userAgent")
        self._devtools("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
        return self

    def holds(self, size: tuple[int, int]) -> "Person":
        """Look through a window of this many pixels."""
        width, height = size
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        return self

    def prefers(self, scheme: str) -> "Person":
        """Ask for light or dark."""
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        return self

    def goes(self, place: str = "/") -> "Person":
        """Open a place of the page and wait until the page is there."""
        self.browser.get(self.url + place)
        self.sees("main > *")
        return self

    def sees(self, css: str, text: str | None = None) -> WebElement:
        """Wait for an element that is shown, with ``text`` in it; answers it."""

        return self._with(css, text, lambda element: None)

    def sees_no(self, css: str) -> None:
        """Wait until nothing that is shown matches."""
        self._wait(lambda _: not any(one.is_displayed() for one in self.all(css)), f"{css} is still shown")

    def waits(self, holds: Callable[[], Any], what: str) -> Any:
        return self._wait(lambda _: holds(), what)

    def all(self, css: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        """The text of every match, as the page holds it."""
        return [str(one.get_property("textContent")) for one in self.all(css)]

    def clicks(self, css: str, text: str | None = None) -> None:
        self._with(css, text, WebElement.click)

    def types(self, css: str, text: str) -> None:
        self._with(css, None, lambda element: element.send_keys(text))

    def presses(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def runs(self, script: str, *values: Any) -> Any:
        """Run a script in the page; a promise is waited for."""
        return self.browser.execute_script(script, *values)

    def module(self, name: str, script: str, *values: Any) -> Any:
        """Run ``script`` with a module of the page at hand as ``it`` and the values as ``given``."""
        loaded = "performance.getEntriesByType('resource').map(one => one.name).find(one => one.endsWith('/app.js'))"
        code = f"const given = [...arguments]; return import(new URL('./{name}', {loaded}).href).then(it => {{ {script} }})"
        return self.browser.execute_script(code, *values)

    def faults(self) -> list[str]:
        """What axe-core finds wrong in the view that is open: rule and place."""
        self.browser.execute_script(_AXE.read_text(encoding="utf-8"))
        found = self.browser.execute_async_script(
            "const done = arguments[0];"
            "axe.run(document, {resultTypes: ['violations']}).then(one => done(one.violations))"
        )
        return [f"{one['id']}: {node['html'][:150]}" for one in found for node in one["nodes"]]

    def complaints(self) -> list[str]:
        """What the browser's console has said since the last time, refused requests left out."""
        said = self.browser.get_log("browser")
        return [f"{one['level']}: {one['message']}" for one in said if one.get("source") != "network"]

    def requests(self) -> list[str]:
        """The address of everything that the tab has asked for."""
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return self.asked

    def saved(self, suffix: str) -> bytes:
        """Wait for a file that was saved; answers what is in it."""

        def found(_: Any) -> bytes | bool:
            files = [one for one in self.downloads.iterdir() if one.suffix == suffix]
            return files[0].read_bytes() if files and files[0].stat().st_size else False

        body: bytes = self._wait(found, f"no file {suffix} was saved")
        return body

    def leaves(self) -> None:
        """Close what was open, so that the next one finds a tab without a past."""
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        self.browser.get_log("performance")
        for one in self.downloads.iterdir():
            one.unlink()

    def _with(self, css: str, text: str | None, deed: Callable[[WebElement], None]) -> WebElement:
        """Do it to an element that is shown; one that the page puts a new one for meanwhile is looked for again."""

        def done(_: Any) -> WebElement | bool:
            for one in self.browser.find_elements(By.CSS_SELECTOR, css):
                if one.is_displayed() and (text is None or text in one.text):
                    deed(one)
                    return one
            return False

        element: WebElement = self._wait(done, f"nothing shown is {css}" + (f" with {text!r}" if text else ""))
        return element

    def _wait(self, holds: Callable[[Any], Any], message: str) -> Any:
        ignored = [StaleElementReferenceException]
        return WebDriverWait(self.browser, _PATIENCE, 0.05, ignored_exceptions=ignored).until(holds, message)

    def _devtools(self, command: str, **values: Any) -> None:
        self.browser.execute_cdp_cmd(command, values)
