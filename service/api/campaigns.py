"""`/v1/campaigns`: the calendar of announced promotions."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from service.api.auth import needs
from service.api.parts import ApiParts
from service.errors import NotFound
from service.store.apikeys import Scope
from service.store.campaigns import Campaign
from service.views import iso

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])


class CampaignIn(BaseModel):
    """A promotion: when, and by how much more of everything is to be expected where somebody knows."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=200)]
    start: AwareDatetime
    end: AwareDatetime
    multiplier: Annotated[float, Field(gt=0, le=1_000)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "CampaignIn":
        if self.end <= self.start:
            raise ValueError("end must come after start")
        return self


@router.get("", dependencies=[Depends(needs(Scope.read))])
async def list_campaigns(request: Request) -> dict[str, Any]:
    """Every campaign, by start."""
    parts: ApiParts = request.app.state.parts
    return {"campaigns": [_view(campaign) for campaign in await parts.campaigns.all()]}


@router.post("", status_code=201, dependencies=[Depends(needs(Scope.admin))])
async def add_campaign(request: Request, body: CampaignIn) -> dict[str, Any]:
    """Announce a campaign."""
    parts: ApiParts = request.app.state.parts
    campaign = Campaign(uuid.uuid4().hex[:12], body.name, body.start, body.end, body.multiplier)
    await parts.campaigns.put([campaign])
    return _view(campaign)


@router.delete("/{campaign_id}", status_code=204, dependencies=[Depends(needs(Scope.admin))])
async def remove_campaign(request: Request, campaign_id: str) -> None:
    """Take a campaign out of the calendar."""
    parts: ApiParts = request.app.state.parts
    if not await parts.campaigns.remove(campaign_id):
        raise NotFound(f"there is no campaign {campaign_id!r}; GET /v1/campaigns lists them")


def _view(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "start": iso(campaign.start),
        "end": iso(campaign.end),
        "multiplier": campaign.multiplier,
    }
