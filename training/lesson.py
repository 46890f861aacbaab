"""What the messages of a retraining teach the encoder."""

from collections.abc import Sequence

from training import kept
from training.exam import Known
from training.kept import Kept
from training.scoring import Arm
from training.tuning import Lesson


def lesson_of(messages: Sequence[Kept], before: Arm | None) -> Lesson:
    """What those teach that are not held out. Messages stand for their topics where no other is nearly as near."""
    train = [row for row, one in enumerate(messages) if not one.held_out]
    part = [messages[row] for row in train]
    placed = before.sure(train) if before else [None] * len(part)
    loose = [one.gist for one, name in zip(part, placed, strict=True) if name is None and not one.label and one.gist]
    return Lesson(
        labelled=kept.texts_by([one.label for one in part], part),
        topics=kept.texts_by([None if one.label else name for one, name in zip(part, placed, strict=True)], part),
        free=list(dict.fromkeys(loose)),
        known=_known(messages, train, before) if before and before.model.places else None,
    )


def _known(messages: Sequence[Kept], train: Sequence[int], before: Arm) -> Known:
    texts = (messages[row].gist for row in train if messages[row].old and before.placed[row] is not None)
    return Known(list(dict.fromkeys(filter(None, texts))), before.model.centroids, before.model.centring)
