"""Take the README's pictures of the page: `python -m tests.service.web.pictures docs URL`, with the address of a running
`tocsin demo` for the topics and the settings."""

import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from models.alert import Facts, Judgement
from tests.service.web.acts import NOW, alert, topics
from tests.service.web.person import Person, open_browser
from tests.service.web.stage import Stage, Theatre, build


def scene() -> Stage:
    """A week of a shop: three alerts open, one snoozed, three ended."""
    alerts = (
        alert(0),
        alert(1, observed=19, expected=5.2, hours=6, ago=timedelta(minutes=40)),
        alert(2, observed=9, expected=2.1, hours=1, ago=timedelta(hours=2)),
        alert(3, observed=14, expected=3, hours=24, ago=timedelta(hours=7)),
        alert(4, observed=28, expected=6, hours=6, ago=timedelta(hours=31), ended=True),
        alert(1, observed=33, expected=5, hours=3, ago=timedelta(days=4), ended=True),
        alert(2, observed=7, expected=1.8, hours=1, ago=timedelta(days=6), ended=True),
    )
    stage = Stage(topics=topics())
    stage.put(*alerts)
    ids = [one.id for one in alerts]
    stage.facts[ids[1]] = Facts(acknowledged_at=NOW - timedelta(minutes=20), acknowledged_by="王敏")
    stage.facts[ids[3]] = Facts(snoozed_until=NOW + timedelta(hours=14))
    stage.facts[ids[4]] = Facts(NOW - timedelta(hours=30), "Li Na", judgement=Judgement.real)
    stage.facts[ids[6]] = Facts(judgement=Judgement.noise)
    stage.status = {"version": "0.1.0", "judged_until": NOW.isoformat(), "lag_seconds": 2.0, "waiting": 0}
    return stage


def main(folder: Path, demo: str) -> None:
    folder.mkdir(exist_ok=True)
    stage = scene()
    with TemporaryDirectory() as past, Theatre(build(stage)) as url:
        browser = open_browser(Path(past))
        try:
            person = Person(browser, url, Path(past)).speaks("en").holds((1280, 720)).prefers("light")
            browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Shanghai"})
            person.goes().sees(".live", "Live")
            person.sees(".row")
            browser.save_screenshot(str(folder / "feed.png"))
            person.holds((1280, 960)).goes(f"/#/alerts/{next(iter(stage.alerts))}").sees(".stage svg")
            person.sees(".live", "Live")
            browser.save_screenshot(str(folder / "alert.png"))
            _demo(Person(browser, demo, Path(past)).holds((1280, 760)), folder)
        finally:
            browser.quit()
            stage.cut += 1


def _demo(person: Person, folder: Path) -> None:
    """The topics on their map, and the settings."""
    person.goes("/#/topics").clicks("button[value=map]")
    person.sees(".map a")
    person.sees(".live", "Live")
    person.browser.save_screenshot(str(folder / "topics.png"))
    person.goes("/#/settings").sees(".settings tr")
    person.sees(".live", "Live")
    person.browser.save_screenshot(str(folder / "settings.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
