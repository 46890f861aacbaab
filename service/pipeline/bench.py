"""The bench: the state that the judge of messages holds, and the form in which a tick writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from models.alert import Alert
from models.culprit import Cell
from models.detector import Detector
from models.surge import Surge, SurgeState
from service.store.erasures import BEGINNING


@dataclass(slots=True)
class Bench:
    """What the judge of messages holds between ticks; rebuilt from the store after a restart."""

    detector: Detector
    position: int | None
    raise_from: int
    surges: dict[str, Surge]
    crowds: dict[str, Surge] = field(default_factory=dict)
    """Episodes of crowds, and of channels that swell or are silent, by name."""
    faces: dict[int, tuple[int, Cell | None]] = field(default_factory=dict)
    """By the number of a place, when it last crowded with what another alert tells, and the attribute value it was of."""
    model_version: int = 0
    formers: dict[str, str] = field(default_factory=dict)
    """By topic, its last alert that ended."""
    lineage: int = 0
    """Lines of the lineage log that were followed."""
    promoted: int = 0
    """The beginning of the last promotion that was followed."""
    erased: str = BEGINNING
    """The place in the log of erasures that was followed."""

    def note(self, alert: Alert | None) -> None:
        """Remember an alert that has ended as its topic's last."""
        if alert is not None and not alert.open:
            self.formers[alert.evidence.topic.id] = alert.id

    def pack(self) -> dict[str, bytes]:
        """All of it that is written with a tick; alerts and the model lie elsewhere."""
        held = {
            "surges": self.surges,
            "crowds": self.crowds,
            "raise_from": self.raise_from,
            "faces": list(self.faces.items()),
            "formers": self.formers,
            "lineage": self.lineage,
            "promoted": self.promoted,
            "erased": self.erased,
        }
        return {"bench": orjson.dumps(held), **named("detector", self.detector.pack())}

    @classmethod
    def unpack(cls, position: int, state: Mapping[str, bytes]) -> Self:
        """What was packed at bucket ``position``."""
        held = orjson.loads(state["bench"])
        return cls(
            unpack_detector(state),
            position,
            held["raise_from"],
            surges_of(held["surges"]),
            crowds=surges_of(held.get("crowds", {})),
            faces=faces_of(held.get("faces", [])),
            formers=held.get("formers", {}),
            lineage=held.get("lineage", 0),
            promoted=held.get("promoted", 0),
            erased=held.get("erased", BEGINNING),
        )


def named(name: str, parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Parts of one thing as fields of the judge's state."""
    return {f"{name}.{part}": value for part, value in parts.items()}


def part_of(state: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """The parts of one thing in a judge's state; none where it is not there."""
    prefix = f"{name}."
    return {part.removeprefix(prefix): value for part, value in state.items() if part.startswith(prefix)}


def hidden_of(state: Mapping[str, bytes]) -> dict[str, bytes]:
    """The hidden cells in a judge's state; none where the tenant is not busy."""
    return {part: value for part, value in part_of(state, "hidden").items() if value}


def unpack_detector(state: Mapping[str, bytes]) -> Detector:
    """The detector in a judge's state."""
    return Detector.unpack(part_of(state, "detector"))


def surges_of(held: Mapping[str, Any]) -> dict[str, Surge]:
    """Episodes by name, as a judge's state holds them."""
    return {name: Surge(**fields | {"state": SurgeState(fields["state"])}) for name, fields in held.items()}


def faces_of(held: Sequence[Any]) -> dict[int, tuple[int, Cell | None]]:
    """Faces of what was told, as a judge's state holds them."""
    return {number: (last, tuple(cell) if cell else None) for number, (last, cell) in held}
