"""The affiliates API: affiliates, their coupons and the referrals they brought.

import dlt
from sync_assets.sources.affiliates import affiliates

dlt.pipeline("affiliates", destination="duckdb").run(affiliates())
"""

from __future__ import annotations

from typing import Any

from dlt.sources.rest_api.typing import RESTAPIConfig

from sync_assets.sources.rest import (
    REPLACE,
    Api,
    ApiKeySettings,
    NextLink,
    RateWindow,
    boolean,
    dlt_source,
    integer,
    json,
    money,
    text,
    timestamp,
)

SHOP = "the shop's currency, which the API does not send"
COLUMNS: dict[str, Any] = {
    "affiliates": {
        "id": integer("The affiliate.", required=True),
        "created_at_timestamp": timestamp("When the affiliate registered.", sent="unix"),
        "email_verified": boolean("Whether the address is the affiliate's.", sent="number"),
        "parent_id": integer("The affiliate who brought this one.", refers="affiliates"),
        "program_id": integer("The programme."),
        "status": integer("As the API says it: 0, 1 or 2."),
        "affiliate_link": text("The link to share."),
        "email": text("E-mail address.", personal=True),
        "first_name": text("First name.", personal=True),
        "last_name": text("Last name.", personal=True),
        "parent_email": text("The address of the affiliate who brought this one.", personal=True),
        "program_name": text("The programme's name."),
        "affiliate_setting": json("Settings of this affiliate; an object without a known shape."),
        "coupons": json("The affiliate's coupons, as in coupons: a list."),
    },
    "coupons": {
        "id": integer("The coupon.", required=True),
        "affiliate_id": integer("Whose it is.", refers="affiliates", shows="email"),
        "created_timestamp": timestamp("When it was made.", sent="unix"),
        "coupon": text("What a customer enters."),
        "description": text("What it is for."),
    },
    "referrals": {
        "id": integer("The referral: one sale.", required=True),
        "created_at": timestamp("When it happened.", sent="unix", required=True),
        "affiliate_id": integer("Who brought it.", refers="affiliates"),
        "affiliate__id": integer("Who brought it, again."),
        "affiliate__email": text("The affiliate's e-mail address.", personal=True),
        "affiliate__first_name": text("The affiliate's first name.", personal=True),
        "affiliate__last_name": text("The affiliate's last name.", personal=True),
        "commission": money("What the affiliate earns.", sent="text", unit=SHOP),
        "commission_adjustment": money("What was added to it.", sent="text", unit=SHOP),
        "status": text("pending, approved, denied or paid."),
        "total_sales": money("What the customer paid.", sent="text", unit=SHOP),
        "tracking_type": text("How it was recognized."),
    },
}


def config(base_url: str, api_key: str) -> RESTAPIConfig:
    """The API as dlt's `rest_api` describes one."""
    return {
        "client": {"base_url": base_url, "auth": {"type": "bearer", "token": api_key}},
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": REPLACE,
            "endpoint": {"data_selector": "data", "paginator": NextLink()},
        },
        "resources": [
            {"name": name, "endpoint": {"path": f"/v1/{name}"}, "columns": columns}
            for name, columns in COLUMNS.items()
        ],
    }


API = Api("affiliates", config, ApiKeySettings, windows=[RateWindow(120, 60)], page_size=100)

#: Three tables; settings not given come from `SOURCES__AFFILIATES__*`.
affiliates = dlt_source(API)
