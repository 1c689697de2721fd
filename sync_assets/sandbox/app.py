"""The three APIs as one Starlette application."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sync_assets.sandbox.account import RESOURCES, Account
from sync_assets.sandbox.affiliates.wire import Affiliates
from sync_assets.sandbox.events.wire import Events
from sync_assets.sandbox.manners import Manners
from sync_assets.sandbox.promotions.wire import Promotions
from sync_assets.sandbox.wire import BadQueryError, Dialect, encode

ROOTS = {"promotions": "/promotions/v2", "affiliates": "/affiliates", "events": "/events/v1"}
DIALECTS: dict[str, Dialect] = {
    "promotions": Promotions(),
    "affiliates": Affiliates(),
    "events": Events(),
}


def build_app(account: Account, manners: Manners = Manners()) -> Starlette:  # noqa: B008
    """Return the application that serves an account."""
    return Starlette(
        routes=[
            Mount(
                root,
                routes=[
                    _route(account, source, name, resource.path, manners)
                    for name, resource in RESOURCES[source].items()
                ],
            )
            for source, root in ROOTS.items()
        ]
    )


def _route(account: Account, source: str, name: str, path: str, manners: Manners) -> Route:
    dialect = DIALECTS[source]

    async def endpoint(request: Request) -> Response:
        if not dialect.admits(request.headers.get("authorization", "")):
            return dialect.refused()
        if "limit" in request.query_params and manners.page_sizes == "refused":
            return dialect.bad_query("limit is not known")
        request.state.most = manners.largest_page(request.query_params)
        snapshot, url = account.snapshot(), str(request.url)
        page = snapshot.pages.get(url)
        if page is None:
            listing = snapshot.listing(source, name, request.path_params.get("parent"))
            if listing is None:
                return dialect.unknown()
            try:
                page = encode(dialect.page(listing, request))
            except BadQueryError as error:
                return dialect.bad_query(str(error))
            snapshot.remember(url, page)
        return Response(page, media_type="application/json")

    return Route(path, endpoint, name=f"{source}.{name}")
