"""`/v1/keys`: who may send, read, and change."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import NotFound
from service.store.apikeys import ApiKey, Scope
from service.views import iso

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(needs(Scope.admin))])


class KeyIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    ends_at: AwareDatetime | None = None


class EndIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    at: AwareDatetime | None = Field(None, description="when it ends; now, where nothing is given")


@router.get("")
async def list_keys(request: Request) -> dict[str, Any]:
    """Every key by name, never its secret."""
    parts: ApiParts = request.app.state.parts
    return {"keys": [_view(key) for key in await parts.keys.all()]}


@router.post("", status_code=201)
async def make_key(request: Request, body: KeyIn) -> dict[str, Any]:
    """Make a key; its secret is in this answer and nowhere else."""
    parts: ApiParts = request.app.state.parts
    key, secret = await parts.keys.make(body.name, body.scopes, parts.clock(), body.ends_at)
    return _view(key) | {"key": secret}


@router.post("/{key_id}/end")
async def end_key(request: Request, key_id: str, body: EndIn) -> dict[str, str]:
    """Let a key end, now or at a time, so that the next can take over first."""
    parts: ApiParts = request.app.state.parts
    at = body.at or parts.clock()
    if not await parts.keys.end(key_id, at):
        raise NotFound(f"there is no key {key_id!r}; GET /v1/keys lists them")
    return {"id": key_id, "ends_at": iso(at) or ""}


def _view(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": iso(key.created_at),
        "ends_at": iso(key.ends_at),
    }
