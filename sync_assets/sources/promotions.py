"""The promotions API: contests, and the stages, users, participations, prizes and rankings of each.

import dlt
from sync_assets.sources.promotions import promotions

dlt.pipeline("promotions", destination="duckdb").run(promotions())
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlt.sources.rest_api.typing import EndpointResource, RESTAPIConfig
from requests import Response

from sync_assets.sources.rest import (
    REPLACE,
    Api,
    BearerTokenSettings,
    BodyCursor,
    Life,
    Parent,
    RateWindow,
    between,
    boolean,
    child,
    dlt_source,
    double,
    integer,
    json,
    text,
    timestamp,
)

PROMOTION = text("The promotion.", required=True, refers="promotions", shows="title")
PERSON: dict[str, Any] = {
    "country": text("Two letters."),
    "external_id": text("The user's id in a system of the organizer's.", personal=True),
    "first_name": text("First name.", personal=True),
    "language": text("Two letters."),
    "last_name": text("Last name.", personal=True),
    "nickname": text("The name shown to others.", personal=True),
    "status": text("As the API says it: 1 or 0."),
}
#: What the API says of the browser that somebody used.
CLIENT: dict[str, Any] = {
    "ip": text("The IP address.", personal=True),
    "user_agent": text("The browser.", personal=True),
    "utm_medium": text("utm_medium of the link that was followed."),
    "legals": json(
        "What was agreed to.",
        privacy_url=text("The privacy policy."),
        terms_url=text("The terms."),
    ),
}
COLUMNS: dict[str, dict[str, Any]] = {
    "promotions": {
        "id": text("The promotion.", required=True),
        "created": timestamp("When it was made.", sent="iso"),
        "default_language": text("Two letters."),
        "description": text("What participants read."),
        "end_date": timestamp("When it ends; null where it is open.", sent="iso"),
        "organizing_brand__id": text("The brand.", refers="organizing_brands"),
        "organizing_brand__name": text("The brand's name."),
        "promotion_type": text("The number of its kind."),
        "start_date": timestamp("When it begins.", sent="iso"),
        "status": text("draft, active or expired."),
        "timezone": text("The IANA name of its time zone."),
        "title": text("Its title."),
        "url": text("Its page."),
    },
    "organizing_brands": {
        "id": text("The brand.", required=True),
        "name": text("Its name."),
    },
    "stages": {
        "promotion_id": PROMOTION,
        "id": text("The stage; unique within its promotion.", required=True),
        "end_date": timestamp("When it ends.", sent="iso"),
        "name": text("Its name."),
        "start_date": timestamp("When it begins.", sent="iso"),
        "type": text("registration, for instance."),
        "visible": boolean("Whether participants see it."),
    },
    "users": {
        "promotion_id": PROMOTION,
        "id": text("The user; unique within the promotion.", required=True),
        "created": timestamp("When the user registered.", sent="iso"),
        "email": text("E-mail address.", personal=True),
        "login_type": text("How the user logged in: email, facebook, ..."),
        **PERSON,
        "custom_properties": json(
            "Answers to the organizer's questions: a list of id, title, ref, value.", personal=True
        ),
        "meta_data": json(
            "Of the registration.",
            **CLIENT,
            referral_url=text("The page before."),
            utm_campaign=text("utm_campaign of the link that was followed."),
            utm_source=text("utm_source of the link that was followed."),
        ),
    },
    "participations": {
        "promotion_id": PROMOTION,
        "id": text("The participation; unique within its promotion.", required=True),
        "created": timestamp("When it happened.", sent="iso"),
        "ip": text("The IP address.", personal=True),
        "stage_id": text("The stage, in the same promotion."),
        "user_agent": text("The browser.", personal=True),
        "user_id": text("The user, in the same promotion."),
        "data": json("What was entered: a list of type, title, value.", personal=True),
    },
    "prizes": {
        "promotion_id": PROMOTION,
        "id": text("The prize that was given; unique within its promotion.", required=True),
        "code": text("What the winner redeems."),
        "created": timestamp("When it was given.", sent="iso"),
        "download_url": text("Where the winner downloads it."),
        "participation_id": text("The participation, in the same promotion."),
        "redeem_url": text("Where the winner redeems it."),
        "stage_id": text("The stage, in the same promotion."),
        "user_id": text("The winner, in the same promotion."),
        "prize_type": json(
            "What can be won.",
            assignation_type=text("How winners are chosen."),
            description=text("What the winner reads."),
            id=text("The prize type."),
            image=text("Its picture."),
            instructions=text("What the winner has to do."),
            name=text("Its name."),
            qty=integer("How many there are.", sent="text"),
            ref=text("A name of the organizer's."),
        ),
        "user": json(
            "The winner, as in users.",
            created=timestamp("When the user registered.", sent="iso"),
            **PERSON,
            custom_properties=json("As in users.", personal=True),
            id=text("The user."),
            meta_data=json("Of the registration.", **CLIENT),
            promotion_id=text("The promotion."),
            social_id=text("The id in a social network.", personal=True),
        ),
    },
    "rankings": {
        "promotion_id": PROMOTION,
        "id": text("Where the API sends none: the user's, else position and name.", required=True),
        "user_id": text("The user, in the same promotion."),
        "name": text("The name shown to others.", personal=True),
        "points": double("Points so far.", sent="text"),
        "position": integer("1 is the first."),
    },
}


def bare_list(response: Response) -> None:
    """Give a bare list of rankings the envelope of every other list."""
    if response.content.lstrip().startswith(b"["):
        response._content = b'{"items": ' + response.content + b"}"


def ranking_id(row: dict[str, Any]) -> dict[str, Any]:
    """Rankings may lack an id: the user is the key then, or the position and who shares it."""
    own = next((row[k] for k in ("id", "user_id") if row.get(k) is not None), None)
    if own is None and row.get("position") is not None:
        own = " ".join(str(row[k]) for k in ("position", "name") if row.get(k) is not None)
    return {**row, "id": own}


def table(name: str) -> EndpointResource:
    """A resource that is one list."""
    return {"name": name, "endpoint": {"path": f"/{name}"}, "columns": COLUMNS[name]}


def of_promotion(name: str, path: str, **endpoint: Any) -> EndpointResource:
    """A resource below each promotion."""
    return child(name, path, of="promotions", columns=COLUMNS[name], **endpoint)


def config(base_url: str, bearer_token: str) -> RESTAPIConfig:
    """The API as dlt's `rest_api` describes one."""
    no_ranking: Any = {"status_code": 404, "action": "ignore"}
    return {
        "client": {"base_url": base_url, "auth": {"type": "bearer", "token": bearer_token}},
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": REPLACE,
            "endpoint": {
                "data_selector": "items",
                "paginator": BodyCursor("paging", "next_cursor"),
            },
        },
        "resources": [
            table("promotions"),
            table("organizing_brands"),
            of_promotion("stages", "/stages/{promotion_id}"),
            of_promotion("users", "/users/{promotion_id}"),
            of_promotion("participations", "/participations/{promotion_id}"),
            of_promotion("prizes", "/prizes/{promotion_id}"),
            {
                **of_promotion(
                    "rankings",
                    "/ranking/{promotion_id}",
                    response_actions=[no_ranking, bare_list],
                    paginator=BodyCursor("paging", "next_cursor", required=False),
                ),
                "processing_steps": [{"map": ranking_id}],
            },
        ],
    }


def life(promotion: Mapping[str, Any]) -> Life:
    """From its start to its end, as the promotion says."""
    return between(promotion, "start_date", "end_date")


API = Api(
    "promotions",
    config,
    BearerTokenSettings,
    windows=[RateWindow(200, 60)],
    parents=[Parent("promotions", "promotions", ["id", "start_date", "end_date"], life)],
)

#: Seven tables; `promotions(parents={"promotions": ids})` reads the children of these alone.
promotions = dlt_source(API)
