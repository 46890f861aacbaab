"""What all answers have in common."""

from pydantic import BaseModel, ConfigDict, Field

from models.embed import Language

Time = str
"""RFC 3339 in UTC, to the second."""


class Shape(BaseModel):
    """Nothing else stands in an answer than what is listed."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """An error, after RFC 9457; ``code`` is stable, ``detail`` is for people. Some codes bring more fields."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = Field(None, description="the field to mend")


class Topic(Shape):
    id: str
    label: str
    labels: dict[Language, str]
    terms: list[str]
