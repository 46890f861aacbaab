"""How soon the page shows its alerts: ``python -m tests.benchmarks.page``.

A browser without a past opens the feed of a service that holds 1,000 alerts, of which few or all are open. Prints
JSON: milliseconds from the start of the navigation to the first frame with rows, median of the rounds. The limit in
the same run is the same browser opening the same page with no alert. Run it on an otherwise idle machine.
"""

import json
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from selenium.webdriver import Chrome

from tests.service.web.acts import alert
from tests.service.web.person import open_browser
from tests.service.web.stage import Stage, Theatre, build

ALERTS = 1_000
ROUNDS = 5
_SHOWN = """
const done = arguments[0];
(function look() {
  if (!document.querySelector(".row, .quiet .lead")) return setTimeout(look, 2);
  requestAnimationFrame(() => setTimeout(() => done(performance.now())));
})();
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        browser = open_browser(Path(folder))
        try:
            figures = {
                "no alert": shown(browser, 0, 0),
                f"{ALERTS} alerts, 5 open": shown(browser, ALERTS, 5),
                f"{ALERTS} alerts, all open": shown(browser, ALERTS, ALERTS),
            }
        finally:
            browser.quit()
    print(json.dumps({"milliseconds until the feed is shown": figures}, indent=2))


def shown(browser: Chrome, held: int, still_open: int) -> int:
    """Median milliseconds until the feed stands, with ``held`` alerts of which ``still_open`` are open."""
    stage = Stage()
    for n in range(held):
        stage.put(alert(n % 5, ago=timedelta(minutes=7 * n), suffix=f"-{n}", ended=n >= still_open))
    with Theatre(build(stage)) as url:
        rounds = []
        for _ in range(ROUNDS):
            browser.get("about:blank")
            browser.get(url)
            rounds.append(float(browser.execute_async_script(_SHOWN)))
        browser.get("about:blank")
        stage.cut += 1
    return round(median(rounds))


if __name__ == "__main__":
    main()
