"""The promotions API: contests and those who take part."""

from sync_assets.sandbox.promotions.participations import participations
from sync_assets.sandbox.promotions.prizes import prizes
from sync_assets.sandbox.promotions.promotions import organizing_brands, promotions
from sync_assets.sandbox.promotions.rankings import rankings
from sync_assets.sandbox.promotions.stages import stages
from sync_assets.sandbox.promotions.users import users
from sync_assets.sandbox.resource import ChildResource, Resource

_PROMOTIONS = Resource("promotions", "/promotions", promotions)

RESOURCES = (
    _PROMOTIONS,
    Resource("organizing_brands", "/organizing_brands", organizing_brands),
    ChildResource("stages", "/stages/{parent}", stages, _PROMOTIONS),
    ChildResource("users", "/users/{parent}", users, _PROMOTIONS),
    ChildResource("participations", "/participations/{parent}", participations, _PROMOTIONS),
    ChildResource("prizes", "/prizes/{parent}", prizes, _PROMOTIONS),
    ChildResource("rankings", "/ranking/{parent}", rankings, _PROMOTIONS),
)
