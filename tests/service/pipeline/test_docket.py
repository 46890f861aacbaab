"""What one judge holds of alerts is bounded, however many it told of in its life."""

from collections.abc import Sequence
from types import SimpleNamespace

from models.alert import alert_id
from models.surge import Surge, SurgeState
from service.metrics import Metrics
from service.pipeline.docket import Docket

FIRST = 5_800_000


async def test_the_alerts_asked_for_lately_are_held_and_no_more() -> None:
    read: list[str] = []

    async def many(names: Sequence[str]) -> object:
        read.extend(names)
        return [SimpleNamespace(alert=SimpleNamespace(id=name)) for name in names]

    docket = Docket(SimpleNamespace(many=many), Metrics(), (), "")  # type: ignore[arg-type]
    told = [Surge("c1", SurgeState.resolved, at, at, 1, 0, 9.0, fired=at) for at in range(FIRST, FIRST + 1_000)]
    for surge in told:
        await docket.alert(surge)
    assert read == [alert_id(surge) for surge in told]
    await docket.alert(told[-1])
    assert len(read) == 1_000
    await docket.alert(told[0])
    assert len(read) == 1_001
