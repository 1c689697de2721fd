"""One report for each source, so that the first minutes show what the data says."""

from sync_assets.lib.reports.assets import Report, build_report_definitions
from sync_assets.sources import affiliates, events, promotions

#: Times of this API are text, ISO 8601.
CREATED = (
    "SELECT substr(created, 1, 10) AS day, '{0}' AS series, count(*) AS value "
    "FROM {{promotions}}.{0} GROUP BY 1"
)
#: The day, or the Monday, of unix seconds, in UTC.
START = (
    "CAST(date_trunc('{unit}', TIMESTAMP '1970-01-01 00:00:00' + {column} * INTERVAL '1 second') "
    "AS date)"
)
WEEK = START.format(unit="week", column="created_at")
DAY = START.format(unit="day", column="created_at")
CHECKED_IN = START.format(unit="day", column="check_in_at")

REFERRALS = f"""
SELECT {WEEK} AS day, 'referrals' AS series, count(*) AS value
FROM {{affiliates}}.referrals GROUP BY 1
"""
#: Money is decimal text here; what is none is left out.
MONEY = f"""
SELECT {WEEK} AS day, '{{0}}' AS series, sum(CAST({{0}} AS decimal(18, 2))) AS value
FROM {{{{affiliates}}}}.referrals WHERE {{0}} ~ '^-?[0-9]+([.][0-9]+)?$' GROUP BY 1
"""
TICKETS = f"""
SELECT {DAY} AS day, 'tickets issued' AS series, count(*) AS value
FROM {{events}}.issued_tickets WHERE status = 'valid' GROUP BY 1
"""
ATTENDANCE = f"""
SELECT {CHECKED_IN} AS day, 'checked in' AS series, sum(quantity) AS value
FROM {{events}}.check_ins GROUP BY 1
"""
#: Money is in the smallest unit of a currency that each order names.
SALES = f"""
SELECT {DAY} AS day, 'orders in ' || upper(currency ->> 'code') AS series,
    sum(total / CAST(currency ->> 'base_multiplier' AS double precision)) AS value
FROM {{events}}.orders WHERE status = 'completed' GROUP BY 1, 2
"""

defs = build_report_definitions(
    [
        Report(
            "promotion_funnel",
            promotions.API,
            "New users, participations and prizes by day, of all promotions together.",
            ["users", "participations", "prizes"],
            "day",
            {"New by day": [CREATED.format(n) for n in ("users", "participations", "prizes")]},
        ),
        Report(
            "affiliate_revenue",
            affiliates.API,
            "Referrals by week, their sales and commissions in the currency of the account.",
            ["referrals"],
            "week of",
            {
                "Referrals by week": [REFERRALS],
                "Revenue by week": [MONEY.format("total_sales"), MONEY.format("commission")],
            },
        ),
        Report(
            "event_sales",
            events.API,
            "Valid tickets, check-ins and the totals of completed orders, by day.",
            ["issued_tickets", "check_ins", "orders"],
            "day",
            {
                "Tickets and attendance by day": [TICKETS, ATTENDANCE],
                "Order totals by day": [SALES],
            },
        ),
    ]
)
