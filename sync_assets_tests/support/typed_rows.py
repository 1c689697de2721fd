"""The rows of the typed views, computed from the API's own JSON: without SQL, without declarations.

What is not named here is the field of its name: `a__b` is field `b` in the object `a`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from sync_assets.sandbox import Account

ISO = {
    "promotions": "created end_date start_date",
    "stages": "end_date start_date",
    "users": "created",
    "participations": "created",
    "prizes": "created user__created",
}
UNIX = {
    "affiliates": "created_at_timestamp",
    "coupons": "created_timestamp",
    "referrals": "created_at",
    "events_series": "created_at",
    "check_ins": "check_in_at created_at",
    "issued_tickets": "created_at updated_at",
    "orders": "created_at",
}
OBJECTS = {
    "events_series": "next_occurrence_date",
    "events": "end start",
    "products": "created_at updated_at",
    "vouchers": "expiry",
    "vouchers_codes": "expiry",
    "orders": "event_summary__end_date event_summary__start_date",
    "waitlists": "created_at",
}
WORDS = {
    "events_series": "online_event private",
    "events": "hidden tickets_available unavailable",
    "products": "linked_to_all_event_series",
    "vouchers": "partial_redemption usable_on_any_event",
    "issued_tickets": "checked_in",
    "affiliates": "email_verified",
}
CENTS = {
    "events_series": "revenue",
    "events": "revenue",
    "products": "price",
    "vouchers": "value",
    "vouchers_codes": "value",
    "discounts": "booking_fee_amount face_value_amount",
    "orders": "credited_out_amount refund_amount subtotal tax total total_paid",
}
DECIMALS = {"referrals": "commission commission_adjustment total_sales"}
NUMBERS = {"prizes": "prize_type__qty"}
POINTS = {"rankings": "points"}
#: Columns of other tables: the source's resource, the column with its id, and what of it.
JOINED = {
    "promotion_title": ("promotions", "promotion_id", "title"),
    "event_series_name": ("events_series", "event_series_id", "name"),
    "voucher_name": ("vouchers", "voucher_id", "name"),
    "voucher_currency": ("vouchers", "voucher_id", "currency"),
    "affiliate_email": ("affiliates", "affiliate_id", "email"),
    "event_start": ("events", "event_id", "start"),
}
EPOCH = datetime(1970, 1, 1)
Cast = Callable[[Any], Any]


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def _unix(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


KINDS: list[tuple[Mapping[str, str], Cast]] = [
    (ISO, _utc),
    (UNIX, _unix),
    (OBJECTS, lambda told: _unix(told["unix"])),
    (WORDS, lambda word: word in ("true", "yes", 1)),
    (CENTS, lambda cents: Decimal(cents) / 100),
    (DECIMALS, Decimal),
    (NUMBERS, int),
    (POINTS, float),
]


class TypedRows:
    """What the view of a resource must hold of an account, below the parents that it lists."""

    def __init__(self, account: Account, source: str) -> None:
        self._account, self._source = account, source
        self._shown: dict[str, dict[Any, Mapping[str, Any]]] = {}

    def records(self, resource: str, parent_column: str | None) -> list[dict[str, Any]]:
        """The records of a resource as the API sends them, with the parent's id."""
        if parent_column is None:
            return [dict(row) for row in self._account.rows(self._source, resource)]
        return [
            {**row, parent_column: parent}
            for parent in self._account.parents(self._source, resource)
            for row in self._account.rows(self._source, resource, parent=parent)
        ]

    def value(self, resource: str, column: str, record: Mapping[str, Any]) -> Any:
        """A column's value in the row of a record."""
        if column in JOINED and column not in record:
            return self._joined(*JOINED[column], record)
        if resource == "rankings" and column == "id":
            return record.get("id") or record["user_id"]
        for columns, cast in KINDS:
            if column in columns.get(resource, "").split():
                sent = inside(record, column)
                return None if sent is None else cast(sent)
        sent = inside(record, column)
        if sent is not None and column.removesuffix("__date") in OBJECTS.get(resource, "").split():
            return date.fromisoformat(sent)
        return sent

    def _joined(self, resource: str, column: str, field: str, record: Mapping[str, Any]) -> Any:
        if resource not in self._shown:
            key = "event_series_id" if resource == "events" else None
            self._shown[resource] = {row["id"]: row for row in self.records(resource, key)}
        other = self._shown[resource].get(record[column])
        if other is None:
            return None
        return self.value(resource, field, other)


def inside(record: Mapping[str, Any], column: str) -> Any:
    """What stands in a record under a column's name."""
    value: Any = record
    for field in column.split("__"):
        value = value.get(field) if isinstance(value, dict) else None
    return value
