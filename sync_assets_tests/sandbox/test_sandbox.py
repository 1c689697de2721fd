"""The sandbox behaves like a real account, over real HTTP."""

import calendar
import json
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sync_assets.sandbox import SECRETS, Account, Sandbox, Scale

DAY = 86400
NOW = calendar.timegm((2026, 3, 1, 12, 0, 0))
PATHS = {
    "promotions": {
        "promotions": "/promotions",
        "organizing_brands": "/organizing_brands",
        "stages": "/stages/{}",
        "users": "/users/{}",
        "participations": "/participations/{}",
        "prizes": "/prizes/{}",
        "rankings": "/ranking/{}",
    },
    "affiliates": {name: f"/v1/{name}" for name in ("affiliates", "coupons", "referrals")},
    "events": {
        "events_series": "/event_series",
        "events": "/event_series/{}/events",
        "waitlists": "/event_series/{}/waitlist_signups",
        "products": "/products",
        "vouchers": "/vouchers",
        "vouchers_codes": "/vouchers/{}/codes",
        "discounts": "/discounts",
        "orders": "/orders",
        "issued_tickets": "/issued_tickets",
        "check_ins": "/check_ins",
    },
}
ENDPOINTS = [(source, name) for source, paths in PATHS.items() for name in paths]
EXACT = Scale(
    promotions=3, users=205, participations=301, prizes=100, rankings=102, orders=400, exact=True
)
DIGEST = """
import hashlib, json
from sync_assets.sandbox import Account
account = Account(seed=7, clock=lambda: {now})
lists = [account.rows("promotions", "promotions"), account.rows("events", "orders"),
         account.rows("affiliates", "affiliates"), account.rows("promotions", "rankings",
         account.parents("promotions", "rankings")[9])]
print(hashlib.sha256(json.dumps(lists).encode()).hexdigest())
"""


def account_at(now: float, scale: Scale = Scale()) -> Account:  # noqa: B008
    return Account(seed=7, scale=scale, clock=lambda: now)


def parents(account: Account, source: str, name: str) -> list[str | None]:
    return [*account.parents(source, name)] or [None]


def session(source: str) -> requests.Session:
    client = requests.Session()
    if source == "events":
        client.auth = (SECRETS[source], "")
    else:
        client.headers["Authorization"] = f"Bearer {SECRETS[source]}"
    return client


def walk(client: requests.Session, source: str, url: str, **query: int) -> Iterator[dict[str, Any]]:
    params: dict[str, Any] = dict(query)
    while True:
        body = client.get(url, params=params, timeout=10).json()
        if source == "promotions":
            assert body["paging"]["items_page"] == len(body["items"])
            yield from body["items"]
            params["next_cursor"] = body["paging"].get("next_cursor")
            more = params["next_cursor"]
        elif source == "affiliates":
            yield from body["data"]
            url, params, more = body["links"]["next"], {}, body["links"]["next"]
        else:
            yield from body["data"]
            more = body["links"]["next"]
            if more:
                params["starting_after"] = body["data"][-1]["id"]
        if not more:
            return


@pytest.fixture(scope="module")
def account() -> Account:
    return account_at(NOW)


@pytest.fixture(scope="module")
def sandbox(account: Account) -> Iterator[Sandbox]:
    with Sandbox(account) as running:
        yield running


@pytest.mark.long
@pytest.mark.parametrize(("source", "name"), ENDPOINTS)
def test_a_walk_yields_exactly_the_rows_of_the_account(
    sandbox: Sandbox, account: Account, source: str, name: str
) -> None:
    client, url = session(source), sandbox.base_url(source) + PATHS[source][name]
    total = 0
    for parent in parents(account, source, name):
        walked: list[dict[str, Any]] = []
        if name != "rankings" or account.rows(source, "users", parent):
            walked = list(walk(client, source, url.format(parent)))
        assert walked == account.rows(source, name, parent)
        total += len(walked)
    assert total > 0


@pytest.mark.parametrize("source", ["promotions", "events", "affiliates"])
def test_a_page_is_as_small_as_asked_for(sandbox: Sandbox, account: Account, source: str) -> None:
    name = {"promotions": "promotions", "events": "products", "affiliates": "coupons"}[source]
    client, url = session(source), sandbox.base_url(source) + PATHS[source][name]
    before = sandbox.requests_by_path()
    rows = list(walk(client, source, url, limit=7))
    assert rows == account.rows(source, name)
    served = sandbox.requests_by_path() - before
    assert list(served.values()) == [-(-len(rows) // 7)]
    assert sandbox.requests >= served.total()


def test_affiliates_links_are_absolute_and_keep_the_limit(sandbox: Sandbox) -> None:
    url = sandbox.base_url("affiliates") + "/v1/referrals"
    body = session("affiliates").get(url, params={"limit": 40}, timeout=10).json()
    assert body["links"]["next"].startswith(url + "?")
    assert "limit=40" in body["links"]["next"]
    assert body["links"]["prev"] is None
    assert body["meta"] == {"current_page": 1, "last_page": 9, "per_page": 40, "total": 350}


def test_events_links_are_relative_and_lack_the_version(sandbox: Sandbox) -> None:
    body = session("events").get(sandbox.base_url("events") + "/orders", timeout=10).json()
    last = body["data"][-1]["id"]
    assert body["links"] == {"next": f"/orders?starting_after={last}&limit=100", "previous": None}


@pytest.mark.parametrize(
    ("source", "status"), [("promotions", 403), ("affiliates", 401), ("events", 403)]
)
def test_wrong_credentials_are_refused(sandbox: Sandbox, source: str, status: int) -> None:
    url = sandbox.base_url(source) + next(iter(PATHS[source].values()))
    wrong: list[dict[str, Any]] = [
        {},
        {"headers": {"Authorization": "Bearer wrong"}},
        {"auth": ("wrong", "")},
        {"auth": (SECRETS[source], "password")},
    ]
    for credentials in wrong:
        response = requests.get(url, timeout=10, **credentials)
        assert response.status_code == status
        assert response.json()["message"]
    assert session(source).get(url, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("source", "path", "status"),
    [
        ("promotions", "/users/999999999", 404),
        ("promotions", "/users/abc", 404),
        ("promotions", "/promotions?next_cursor=x", 400),
        ("affiliates", "/v1/coupons?page=0", 422),
        ("events", "/event_series/es_0/events", 404),
        ("events", "/vouchers/nope/codes", 404),
        ("events", "/orders?starting_after=or_nope", 400),
        ("events", "/orders?starting_after=or_99999999999", 400),
    ],
)
def test_what_does_not_exist_is_an_error(
    sandbox: Sandbox, source: str, path: str, status: int
) -> None:
    response = session(source).get(sandbox.base_url(source) + path, timeout=10)
    assert response.status_code == status
    assert response.json()["message"]


def test_a_draft_has_no_ranking(sandbox: Sandbox, account: Account) -> None:
    drafts = [row for row in account.rows("promotions", "promotions") if row["status"] == "draft"]
    assert drafts
    assert drafts[0]["start_date"] is None
    url = f"{sandbox.base_url('promotions')}/ranking/{drafts[0]['id']}"
    assert session("promotions").get(url, timeout=10).status_code == 404


def test_lists_are_newest_first(account: Account) -> None:
    for source, name, field in [
        ("promotions", "promotions", "created"),
        ("affiliates", "affiliates", "created_at_timestamp"),
        ("affiliates", "coupons", "created_timestamp"),
        ("affiliates", "referrals", "created_at"),
        ("events", "events_series", "created_at"),
        ("events", "orders", "created_at"),
        ("events", "issued_tickets", "created_at"),
        ("events", "check_ins", "created_at"),
    ]:
        times = [row[field] for row in account.rows(source, name)]
        assert times == sorted(times, reverse=True)
    for name in ("users", "participations", "prizes"):
        for parent in account.parents("promotions", name):
            times = [row["created"] for row in account.rows("promotions", name, parent)]
            assert times == sorted(times, reverse=True)


@pytest.mark.long
@pytest.mark.parametrize("year", [2024, 2026, 2030])
def test_the_size_hardly_depends_on_the_date(year: int) -> None:
    account = account_at(calendar.timegm((year, 11, 21, 8, 30, 0)))
    rows = pages = 0
    for source, name in ENDPOINTS:
        for parent in parents(account, source, name):
            count = len(account.rows(source, name, parent))
            rows += count
            pages += max(1, -(-count // (25 if source == "affiliates" else 100)))
    assert len(account.rows("promotions", "promotions")) == 30
    assert 10_000 <= rows <= 15_000
    assert 250 <= pages <= 400


def test_a_day_brings_changes() -> None:
    old, new = account_at(NOW), account_at(NOW + DAY)
    before, after = (set(each.parents("promotions", "users")) for each in (old, new))
    assert after - before
    assert before - after
    statuses = [
        {row["id"]: row["status"] for row in each.rows("events", "orders")} for each in (old, new)
    ]
    assert statuses[1].keys() - statuses[0].keys()
    changes = Counter(
        (statuses[0][key], statuses[1][key]) for key in statuses[0] & statuses[1].keys()
    )
    assert changes["completed", "cancelled"]
    assert not changes["cancelled", "completed"]


def test_an_hour_brings_orders_and_users() -> None:
    old, new = account_at(NOW), account_at(NOW + 3600)
    assert old.rows("events", "orders")[0] != new.rows("events", "orders")[0]
    grown = [
        len(new.rows("promotions", "users", parent)) - len(old.rows("promotions", "users", parent))
        for parent in set(old.parents("promotions", "users"))
        & set(new.parents("promotions", "users"))
    ]
    assert min(grown) == 0
    assert max(grown) > 0


def test_rows_that_appear_during_a_walk_hide_none() -> None:
    now = [float(NOW)]
    account = Account(clock=lambda: now[0])
    with Sandbox(account) as sandbox:
        for source, name in [("events", "issued_tickets"), ("affiliates", "referrals")]:
            before = account.rows(source, name)
            walked = []
            for row in walk(
                session(source), source, sandbox.base_url(source) + PATHS[source][name]
            ):
                walked.append(row["id"])
                now[0] += 60
            kept = {row["id"] for row in before} & {row["id"] for row in account.rows(source, name)}
            assert kept <= set(walked)
            assert account.rows(source, name)[0] != before[0]


def test_references_lead_to_listed_rows(account: Account) -> None:
    def ids(source: str, name: str, parent: str | None = None) -> set[Any]:
        return {row["id"] for row in account.rows(source, name, parent)}

    series, affiliates = ids("events", "events_series"), ids("affiliates", "affiliates")
    events = {key for parent in series for key in ids("events", "events", parent)}
    orders, tickets = account.rows("events", "orders"), account.rows("events", "issued_tickets")
    assert {row["event_summary"]["event_series_id"] for row in orders} <= series
    assert {row["event_summary"]["event_id"] for row in orders} <= events
    assert {row["order_id"] for row in tickets} == {row["id"] for row in orders}
    embedded = {ticket["id"]: ticket for row in orders for ticket in row["issued_tickets"]}
    assert all(embedded[row["id"]].items() <= row.items() for row in tickets)
    scanned = {row["issued_ticket_id"] for row in account.rows("events", "check_ins")}
    assert scanned == {row["id"] for row in tickets if row["checked_in"] == "true"}
    assert {row["affiliate_id"] for row in account.rows("affiliates", "coupons")} - {
        None
    } <= affiliates
    assert {row["affiliate_id"] for row in account.rows("affiliates", "referrals")} <= affiliates
    for voucher in account.rows("events", "vouchers"):
        codes = account.rows("events", "vouchers_codes", voucher["id"])
        assert len(codes) == voucher["total_codes"]
        assert set(voucher["event_series_ids"]) <= series
    for promotion in ids("promotions", "promotions"):
        users = ids("promotions", "users", promotion)
        for name in ("participations", "prizes", "rankings"):
            rows = account.rows("promotions", name, promotion)
            assert {row["user_id"] for row in rows} <= users


def test_ids_repeat_under_several_parents_and_some_lists_are_empty(account: Account) -> None:
    for name in ("stages", "users", "prizes"):
        lists = [
            account.rows("promotions", name, key) for key in account.parents("promotions", name)
        ]
        assert max(Counter(row["id"] for rows in lists for row in rows).values()) > 10
    counts = [
        len(account.rows("promotions", "prizes", key))
        for key in account.parents("promotions", "prizes")
    ]
    assert 0 in counts
    text = json.dumps(account.rows("events", "orders"), ensure_ascii=False)
    assert "null" in text
    assert not text.isascii()


def test_exact_sizes_are_exact_at_any_time() -> None:
    for now in (NOW, NOW + 200 * DAY):
        account = account_at(now, EXACT)
        assert len(account.rows("promotions", "promotions")) == 3
        for name in ("users", "participations", "prizes", "rankings", "stages"):
            for parent in account.parents("promotions", name):
                assert len(account.rows("promotions", name, parent)) == getattr(EXACT, name)
        assert len(account.rows("events", "orders")) == 400
        for source, name in ENDPOINTS:
            assert all(account.rows(source, name, key) for key in parents(account, source, name))


def test_a_million_orders_are_made_only_when_asked_for() -> None:
    account = account_at(NOW, Scale(orders=1_000_000, exact=True))
    with Sandbox(account) as sandbox:
        url = sandbox.base_url("events") + "/orders"
        page = session("events").get(url, timeout=10).json()
        oldest = f"or_{int(page['data'][0]['id'][3:]) - 999_901}"
        query = {"starting_after": oldest}
        page = session("events").get(url, params=query, timeout=10).json()
    assert len(page["data"]) == 98
    assert page["links"]["next"] is None


def test_two_processes_answer_alike() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-W", "error", "-c", DIGEST.format(now=NOW)],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert Account(8, clock=lambda: NOW).rows("events", "orders") != account_at(NOW).rows(
        "events", "orders"
    )


def test_it_listens_on_the_loopback_only_and_frees_its_port() -> None:
    sandbox = Sandbox(account_at(NOW))
    sandbox.start()
    host, port = re.findall(r"//([\d.]+):(\d+)/", sandbox.base_url("events"))[0]
    assert host == "127.0.0.1"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", int(port)), timeout=2)
    sandbox.stop()
    socket.create_server(("127.0.0.1", int(port))).close()
    sandbox.start()
    assert session("events").get(sandbox.base_url("events") + "/orders", timeout=10).ok
    sandbox.stop()


def test_it_runs_alone_until_interrupted() -> None:
    command = [sys.executable, "-W", "error", "-m", "sync_assets.sandbox", "--port", "0"]
    with subprocess.Popen(
        [*command, "--now", "2026-03-01T12:00:00Z"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, "it ended early"
            printed += line
        exports = dict(re.findall(r"export (\w+)=(\S+)", printed))
        url = exports["SOURCES__PROMOTIONS__BASE_URL"] + "/promotions"
        token = exports["SOURCES__PROMOTIONS__BEARER_TOKEN"]
        headers = {"Authorization": f"Bearer {token}"}
        items = requests.get(url, headers=headers, timeout=10).json()["items"]
        assert items == account_at(NOW).rows("promotions", "promotions")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == ""
