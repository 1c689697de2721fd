"""The lists of a box office that lives: rows come to the front, and old ones change."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

#: Rows an hour that come to the front; and of a sale that begins, in so many seconds.
BURST_ROWS, BURST_SECONDS = 400, 300.0
#: What heads cannot see, of each list in the time between two proofs.
HIDDEN = {"edit": 24, "delete": 12, "stray": 3}


@dataclass(frozen=True)
class Kind:
    """A list of the API: its name, path and ids, and the column that says how often it changed.

    `rows` are those of the whole account, `an_hour` those that come in an hour.
    """

    name: str
    path: str
    prefix: str
    column: str
    rows: int
    an_hour: int
    record: str


TICKET = (
    '{"id":"it_%(n)09d","object":"issued_ticket","status":"valid","barcode":"b%(n)09d",'
    '"order_id":"or_%(n)09d","event_id":"ev_7","event_series_id":"es_1","source":"box_office",'
    '"first_name":"Ada","last_name":"Byron","email":"a%(n)d@example.com","checked_in":"false",'
    '"ticket_type_id":"tt_3","description":"Standing","created_at":1767225600,"updated_at":%(said)d,'
    '"custom_questions":[]}'
)
ORDER = (
    '{"id":"or_%(n)09d","object":"order","status":"completed","txn_id":"t%(n)d","total":4200,'
    '"total_paid":4200,"subtotal":4200,"tax":0,"created_at":1767225600,"refund_amount":%(said)d,'
    '"currency":{"base_multiplier":100,"code":"eur"},"line_items":[{"id":"li_%(n)d","quantity":2,'
    '"value":2100}],"buyer_details":{"email":"a%(n)d@example.com","name":"Ada Byron"}}'
)
CHECK_IN = (
    '{"id":"ci_%(n)09d","object":"check_in","event_id":"ev_7","event_series_id":"es_1",'
    '"issued_ticket_id":"it_%(n)09d","quantity":1,"created_at":1767225600,"check_in_at":%(said)d}'
)
KINDS = (
    Kind("orders", "/orders", "or_", "refund_amount", 400_000, 120, ORDER),
    Kind("issued_tickets", "/issued_tickets", "it_", "updated_at", 1_000_000, 300, TICKET),
    Kind("check_ins", "/check_ins", "ci_", "check_in_at", 700_000, 210, CHECK_IN),
)


@dataclass
class Happening:
    """Something that happened to a row, and when the warehouse showed it."""

    kind: str
    number: int
    at: float
    shown: float | None = None


@dataclass
class Lived:
    """A list, by the numbers in its ids: even ones came to the front, odd ones elsewhere.

    `said` is what each row says, 0 where there is none; `changed` the millisecond of its last
    change. `happened` is what the warehouse has not shown yet.
    """

    kind: Kind
    dice: random.Random
    said: array[int] = field(default_factory=lambda: array("q", (0, 0)))
    changed: array[int] = field(default_factory=lambda: array("q", (0, 0)))
    rows: int = 0
    changes: int = 0
    happened: list[Happening] = field(default_factory=list)

    def grow(self, rows: int, now: float) -> None:
        """Let so many rows come to the front before anybody looks."""
        ones = array("q", (1, 0)) * rows
        self.said.extend(ones)
        self.changed.extend(array("q", (int(now * 1000), 0)) * rows)
        self.rows += rows

    def happens(self, kind: str, at: float) -> None:
        """Let something happen: a row in front, or an edit, a deletion, a stray of an old row."""
        self.changes += 1
        if kind == "front":
            self.said.extend((0, 0))
            self.changed.extend((0, 0))
            number = len(self.said) - 2
        else:
            number = self._old(odd=kind == "stray")
        self.rows += (kind in ("front", "stray")) - (kind == "delete")
        self.said[number] = 0 if kind == "delete" else self.changes + 1
        self.changed[number] = int(at * 1000)
        self.happened.append(Happening(kind, number, at))

    def page(self, after: str | None, size: int) -> bytes:
        """A page in the envelope of the events API, the newest first."""
        number = len(self.said) if after is None else int(after.removeprefix(self.kind.prefix))
        said, found = self.said, list[int]()
        while number > 1 and len(found) <= size:
            number -= 1
            if said[number]:
                found.append(number)
        following = f"{self.kind.path}?starting_after={found[size - 1]}" if found[size:] else None
        link = f'"{following}"' if following else "null"
        records = ",".join(self.kind.record % {"n": n, "said": said[n]} for n in found[:size])
        return f'{{"data":[{records}],"links":{{"next":{link}}}}}'.encode()

    def table(self) -> pa.Table:
        """Number, what it says and when it changed, of each row that ever was."""
        columns = {"number": array("q", range(len(self.said))), "said": self.said}
        columns["changed"] = self.changed
        return pa.table(
            {
                name: pa.Array.from_buffers(
                    pa.int64(), len(values), [None, pa.py_buffer(values.tobytes())]
                )
                for name, values in columns.items()
            }
        )

    def _old(self, *, odd: bool) -> int:
        """The number of an old row that is there, or of a place among them that is free."""
        while True:
            number = 2 * self.dice.randint(1, len(self.said) * 9 // 20) + odd
            if bool(self.said[number]) != odd and not any(
                one.number == number for one in self.happened
            ):
                return number


@dataclass
class BoxOffice:
    """All lists of the account, and what is to happen to them."""

    lists: dict[str, Lived]
    plan: Iterator[tuple[float, str, str]]
    following: tuple[float, str, str] | None = None

    def live(self, until: float) -> None:
        """Let happen what is to happen by a moment."""
        while True:
            self.following = self.following or next(self.plan, None)
            if self.following is None or self.following[0] > until:
                return
            at, name, kind = self.following
            self.lists[name].happens(kind, at)
            self.following = None


def happenings(
    kinds: Sequence[Kind], dice: random.Random, start: float, end: float, period: float
) -> list[tuple[float, str, str]]:
    """When what happens to which list, in order; `period` is the time between two proofs."""
    found: list[tuple[float, str, str]] = []
    for place, kind in enumerate(kinds):
        periods = (end - start) / period
        many = {"front": round(kind.an_hour * (end - start) / 3600)}
        many |= {hidden: round(count * periods) for hidden, count in HIDDEN.items()}
        for what, count in many.items():
            found += [(dice.uniform(start, end), kind.name, what) for _ in range(count)]
        for number in range(round(periods)):
            opens = start + (number + (place + 1) / 4) * period
            found += [
                (dice.uniform(opens, opens + BURST_SECONDS), kind.name, "front")
                for _ in range(BURST_ROWS)
            ]
    return sorted(found)
