"""Credentials go nowhere but to the API: not into logs, events, files, errors or other hosts."""

from __future__ import annotations

import logging
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest
import requests

from sync_assets.base.errors import ListError
from sync_assets.cli import main
from sync_assets_tests.support.dagster_world import DagsterRuns
from sync_assets_tests.support.fake_api import AUTHORIZATION, SECRETS, FakeApi
from sync_assets_tests.support.instances import local_instance
from sync_assets_tests.support.leftovers import left_behind
from sync_assets_tests.support.world import World

CANARIES = [*SECRETS.values(), *(value.split()[1] for value in AUTHORIZATION.values())]
BAD_ANSWERS: dict[str, dict[str, object]] = {
    "/event_series": {"status": 401},
    "/products": {"status": 500},
    "/discounts": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/elsewhere"}},
    "/check_ins": {"status": 429, "headers": {"Retry-After": "7200"}},
    "/issued_tickets": {"body": b"<html>"},
    "/orders": {"cut": 5},
}


def assert_no_canary(text: bytes, where: str) -> None:
    for canary in CANARIES:
        assert canary.encode() not in text, f"{canary} in {where}"


@pytest.mark.long
def test_no_secret_is_left_behind_by_runs_that_fail_and_runs_that_do_not(
    world: World,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    world.monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    world.api.lists = {"/v1/coupons": [{"id": 1}], **{path: [] for path in BAD_ANSWERS}}
    caplog.set_level(logging.DEBUG)
    (tmp_path / "instance").mkdir()
    with local_instance(tmp_path / "instance") as instance:
        runs = DagsterRuns(instance)
        assert runs.run("affiliates/coupons").success
        world.api.fail("/v1/coupons", status=401)
        assert not runs.run("affiliates/coupons").success
        for path, answer in BAD_ANSWERS.items():
            world.api.fail(path, **answer)
        run = runs.run_tables("events")
        assert len(runs.failure(run)) > 50
        events = [
            str(record) for run in instance.get_runs() for record in instance.all_logs(run.run_id)
        ]
        assert len(events) > 20
        assert_no_canary("".join(events).encode(), "events")
        assert_no_canary(str([run.run_config for run in instance.get_runs()]).encode(), "config")
    assert main(["affiliates"]) == 1
    captured = capfd.readouterr()
    assert_no_canary((captured.out + captured.err + caplog.text).encode(), "output")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    for file in files:
        assert_no_canary(file.read_bytes(), str(file))
    assert not left_behind(tmp_path.glob("sync_assets-*")), "scratch is left behind"


def test_a_certificate_that_nobody_signed_is_refused(world: World, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate, and is not here")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    secure = FakeApi()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = secure._server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    secure.lists["/v1/coupons"] = [{"id": 1}]
    url = secure.base_url("affiliates").replace("http://", "https://")
    world.configure("affiliates", base_url=url, max_retries=0)
    with secure.running():
        trusting = requests.get(f"{url}/v1/coupons", verify=str(certificate), timeout=5)
        assert trusting.status_code in (401, 403)
        secure.seen.clear()
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED") as error:
            world.read("affiliates", "coupons")
        assert isinstance(error.value.__cause__, ListError)
        assert not secure.seen


ODD_IDS = ["1'); DROP TABLE users; --", "a;b", 'q"uote', "new\nline", "{}", "%s", "ü/?#%,|..", "$1"]


def test_ids_neither_inject_sql_nor_leave_their_partition(world: World) -> None:
    for one in ODD_IDS:
        world.api.lists[f"/users/{one}"] = [{"id": one}, {"id": "b"}]
    parents = {"promotions": ODD_IDS}
    assert not [x for x in world.sync("promotions", "users", parents=parents).values() if x.error]
    world.api.lists.update({f"/users/{one}": [{"id": "b"}] for one in ODD_IDS})
    world.api.lists[f"/users/{ODD_IDS[0]}"] = []
    found = world.sync("promotions", "users", parents=parents, allow_empty=True)
    assert not [listing.error for listing in found.values() if listing.error]
    rows = {(row["promotion_id"], row["id"]) for row in world.rows("promotions.users")}
    assert rows == {(one, "b") for one in ODD_IDS[1:]}
