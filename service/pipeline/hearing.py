"""What an alert of any episode gets besides what its witness says: its rate, its grade, and the alert before it."""

from collections.abc import Awaitable, Callable

from models.alert import Former, former_of
from models.evidence import Evidence
from models.severity import Grade, Severity, grade, spread_of
from models.surge import Surge
from service.pipeline.bench import Bench
from service.pipeline.docket import Case
from service.pipeline.exposure import Exposure, Said
from service.store.alerts import AlertBook
from service.store.model import ModelStore


class Hearing:
    """``exposure`` where orders are posted."""

    def __init__(self, models: ModelStore, book: AlertBook, exposure: Exposure | None) -> None:
        self._models = models
        self._book = book
        self._exposure = exposure

    def case(
        self,
        bench: Bench,
        surge: Surge,
        before: Surge | None,
        loud: bool,
        observed: float,
        testify: Callable[[], Awaitable[Evidence]],
    ) -> Case:
        """An episode for the docket."""
        return Case(surge, before, loud, observed, testify, _grade, lambda evidence: self._former(bench, evidence))

    async def weighed(self, testimony: Awaitable[Evidence], said: Said | None) -> Evidence:
        """Evidence with its figures per 1,000 orders, where orders are posted and it tells of too many."""
        evidence = await testimony
        return evidence if self._exposure is None or said is None else await self._exposure.rated(evidence, said)

    async def _former(self, bench: Bench, evidence: Evidence) -> Former | None:
        """The last alert on a topic, or on one that was merged into it, that ended long before this surge began."""
        model = (await self._models.current()).model
        kin = {topic.id for topic in model.topics if model.heir(topic.id) == evidence.topic.id} if model else set()
        names = [alert for topic, alert in bench.formers.items() if topic in kin | {evidence.topic.id}]
        return former_of(((one.alert, one.facts) for one in await self._book.many(names)), evidence.onset)


def _grade(evidence: Evidence) -> Grade:
    window = evidence.window
    if window.observed == 0:
        return Grade(Severity.warning, ("silence",))
    if evidence.excused:
        return Grade(Severity.info, ("orders",))
    spread = spread_of(evidence.cells)
    return grade(window.observed, window.expected, window.end - window.start, spread=spread)
