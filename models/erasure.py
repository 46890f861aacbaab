"""Erasing a customer from what topics show: the exemplars that are theirs, in a model and in what people said of its topics."""

from collections.abc import Collection
from dataclasses import replace

from models.constraints import Constraints, Side
from models.message import CustomerKey
from models.topic import Exemplar
from models.topics import TopicModel


def without(model: TopicModel, customer: CustomerKey, names: Collection[str] = ()) -> TopicModel | None:
    """The model without a customer's exemplars; None where it has none. ``names``: ids of the customer's messages, for
    exemplars of which it is not known whose they are. Centres and terms stay: they are of many."""

    def left(exemplars: tuple[Exemplar, ...]) -> tuple[Exemplar, ...]:
        return tuple(one for one in exemplars if not _is_of(one, customer, names))

    def side(one: Side) -> Side:
        return replace(one, exemplars=left(one.exemplars))

    topics = tuple(replace(topic, exemplars=left(topic.exemplars)) for topic in model.topics)
    entries = tuple(replace(one, one=side(one.one), other=side(one.other)) for one in model.constraints.entries)
    before = [topic.exemplars for topic in model.topics] + _sides(model.constraints)
    after = [topic.exemplars for topic in topics] + _sides(Constraints(entries))
    return None if before == after else replace(model, topics=topics, constraints=Constraints(entries))


def _sides(constraints: Constraints) -> list[tuple[Exemplar, ...]]:
    return [side.exemplars for entry in constraints.entries for side in (entry.one, entry.other)]


def _is_of(exemplar: Exemplar, customer: CustomerKey, names: Collection[str]) -> bool:
    return exemplar.customer == customer if exemplar.customer else exemplar.message_id in names
