"""The affiliates API: affiliates, their coupons and the referrals they brought.

import dlt
from sync_assets.sources.affiliates import affiliates

dlt.pipeline("affiliates", destination="duckdb").run(affiliates())
"""

from __future__ import annotations

from dlt.sources.rest_api.typing import RESTAPIConfig

from sync_assets.sources.rest import (
    REPLACE,
    Api,
    ApiKeySettings,
    NextLink,
    RateWindow,
    columns,
    dlt_source,
)


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
            {
                "name": "affiliates",
                "endpoint": {"path": "/v1/affiliates"},
                "columns": columns(
                    required="id",
                    bigint="id created_at_timestamp email_verified parent_id program_id status",
                    text="affiliate_link email first_name last_name parent_email program_name",
                    json="affiliate_setting coupons",
                ),
            },
            {
                "name": "coupons",
                "endpoint": {"path": "/v1/coupons"},
                "columns": columns(
                    required="id",
                    bigint="id affiliate_id created_timestamp",
                    text="coupon description",
                ),
            },
            {
                "name": "referrals",
                "endpoint": {"path": "/v1/referrals"},
                "columns": columns(
                    required="id created_at",
                    bigint="id created_at affiliate_id affiliate__id",
                    text="affiliate__email affiliate__first_name affiliate__last_name commission"
                    " commission_adjustment status total_sales tracking_type",
                ),
            },
        ],
    }


API = Api("affiliates", config, ApiKeySettings, windows=[RateWindow(120, 60)], page_size=100)

#: Three tables; settings not given come from `SOURCES__AFFILIATES__*`.
affiliates = dlt_source(API)
