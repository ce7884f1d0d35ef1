"""`/metrics` as Prometheus' own parser reads it: everything is counted, and no data is a label."""

from __future__ import annotations

import math
import time
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tests.serve.running import door as open_door
from tests.serve.upstreams import chat_chunk, misbehaving, start
from threadkeep.serve import Limits
from threadkeep.serve.keys import add_key

ROUTES = {
    "/", "/health", "/ready", "/metrics", "/v1/conversations", "/v1/conversations/{id}",
    "/v1/conversations/{id}/items", "/v1/conversations/{id}/items/{item}", "/v1/responses",
    "/v1/responses/{id}", "/v1/responses/{id}/input_items", "/v1/chat/completions", "/v1/models",
    "/v1/models/{id:path}", "/v1/feedback", "/v1/search", "/v1/users/{id}", "other",
}  # fmt: skip
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}


class Scraped:
    """The samples of one scrape."""

    def __init__(self, door, key):
        answer = httpx.get(f"{door.url}/metrics", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=")
        self.text = answer.text
        self.families = list(text_string_to_metric_families(self.text))
        names = [family.name for family in self.families]
        assert len(names) == len(set(names))
        self.samples = [sample for family in self.families for sample in family.samples]

    def sum(self, name, **labels):
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self):
        return {(name, value) for sample in self.samples for name, value in sample.labels.items()}


@pytest.fixture
def scraper(door):
    key = door.key("prometheus", "metrics")
    return lambda: Scraped(door, key)


def headers(key):
    return {"authorization": f"Bearer {key}"}


def test_requests_are_counted_by_route_and_status(door, scraper):
    with httpx.Client(base_url=door.url, headers=headers(door.ada)) as client:
        for number in range(3):
            client.post("/v1/conversations", json={"id": f"c{number}"})
            client.get(f"/v1/conversations/c{number}")
        client.get("/v1/conversations/none%2Fat%2Fall")
        client.get("/nowhere/secret")
        client.get("/health", headers={"host": "evil.org"})
    found = scraper()
    name = "threadkeep_http_requests_total"
    assert found.sum(name, route="/v1/conversations", method="POST", status="200") == 3
    assert found.sum(name, route="/v1/conversations/{id}", status="200") == 3
    assert found.sum(name, route="/v1/conversations/{id}", status="404") == 1
    assert found.sum(name, route="other", status="404") == 1
    assert found.sum(name, status="421") == 1
    assert found.sum("threadkeep_http_request_duration_seconds_count") == found.sum(name) == 9
    assert found.sum("threadkeep_http_requests_active") == 1  # the scrape itself
    assert scraper().sum(name, route="/metrics", status="200") == 1


def test_buckets_add_up(door, scraper):
    httpx.get(f"{door.url}/health")
    found = scraper()
    buckets = [
        sample
        for sample in found.samples
        if sample.name == "threadkeep_http_request_duration_seconds_bucket"
        and sample.labels["route"] == "/health"
    ]
    counts = [sample.value for sample in buckets]
    assert counts == sorted(counts)
    assert math.isinf(float(buckets[-1].labels["le"]))
    assert counts[-1] == 1


def test_calls_of_the_store_are_counted(door, scraper):
    before = scraper()
    httpx.post(f"{door.url}/v1/conversations", json={}, headers=headers(door.ada))
    door.memory.session("direct").add("Hi")
    after = scraper()
    name = "threadkeep_store_operation_duration_seconds_count"
    assert after.sum(name, operation="commit") > before.sum(name, operation="commit")
    assert after.sum(name, operation="read") > before.sum(name, operation="read")
    assert after.sum(name, outcome="error") == 0
    door.memory.backend.close()
    httpx.get(f"{door.url}/v1/conversations", headers=headers(door.ada))


@pytest.mark.parametrize(("scopes", "status"), [(["metrics"], 200), (["admin"], 200),
                                                 (["read", "write"], 403)])  # fmt: skip
def test_the_scope_metrics_reads_metrics_and_nothing_else(door, scopes, status):
    key = door.key("ada", *scopes)
    assert httpx.get(f"{door.url}/metrics", headers=headers(key)).status_code == status
    assert httpx.get(f"{door.url}/metrics").status_code == 401
    if scopes == ["metrics"]:
        for path in ("/v1/conversations", "/v1/search?q=x", "/"):
            assert httpx.get(door.url + path, headers=headers(key)).status_code == 403


def fails(handler, body):
    start(handler, 500, "application/json")
    handler.wfile.write(b"{}")


def breaks_off(handler, body):
    start(handler)
    chat_chunk(handler, "Hel")


def no_json(handler, body):
    start(handler, 200, "application/json")
    handler.wfile.write(b"<html>")


@pytest.mark.parametrize(
    ("behave", "stream", "reason"),
    [(fails, False, "status"), (breaks_off, True, "broken"), (no_json, False, "broken")],
)
def test_failures_of_the_upstream_are_counted(memory, tmp_path, behave, stream, reason):
    sent = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    with (
        misbehaving(behave) as upstream,
        open_door(memory, tmp_path, upstream=upstream.url) as door,
    ):
        address = f"{door.url}/v1/chat/completions"
        session = headers(door.ada) | {"x-threadkeep-session": "s"}
        httpx.post(address, json=sent, headers=session, timeout=20).read()
        found = Scraped(door, door.key("p", "metrics"))
        assert found.sum("threadkeep_upstream_failures_total") == 1
        assert found.sum("threadkeep_upstream_failures_total", reason=reason) == 1


def test_an_upstream_that_is_not_there_is_counted(memory, tmp_path):
    with open_door(memory, tmp_path, upstream="http://127.0.0.1:9/v1") as door:
        httpx.get(f"{door.url}/v1/models", headers=headers(door.ada))
        found = Scraped(door, door.key("p", "metrics"))
        assert found.sum("threadkeep_upstream_failures_total", reason="unreachable") == 1


def test_open_streams_are_counted_and_let_go(memory, tmp_path):
    def endless(handler, body):
        start(handler)
        while True:
            chat_chunk(handler, "x")
            time.sleep(0.02)

    sent = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    with (
        misbehaving(endless) as upstream,
        open_door(memory, tmp_path, upstream=upstream.url) as door,
    ):
        key, address = door.key("p", "metrics"), f"{door.url}/v1/chat/completions"
        with httpx.stream("POST", address, json=sent, headers=headers(door.ada)) as answer:
            chunks = answer.iter_bytes()  # without a name it would be closed at once
            next(chunks)
            assert Scraped(door, key).sum("threadkeep_http_streams_open") == 1
        waited = time.monotonic() + 20
        while Scraped(door, key).sum("threadkeep_http_streams_open"):
            assert time.monotonic() < waited
            time.sleep(0.05)


ODD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


def test_no_request_makes_a_label_of_its_own(memory, tmp_path):
    limits = Limits(body=1_000, receive_seconds=5)
    with open_door(memory, tmp_path, limits=limits) as door:
        key = add_key(door.keys, "p", ["metrics"])

        @settings(
            max_examples=60,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )
        @given(
            method=st.sampled_from(["GET", "POST", "DELETE", "BREW", "X1", "PUT"]),
            parts=st.lists(st.sampled_from(["v1", "conversations", "items", "users"]) | ODD,
                           max_size=4),
            host=st.sampled_from([None, "evil.org"]),
        )  # fmt: skip
        def ask(method, parts, host):
            path = "/" + "/".join(quote(part, safe="") for part in parts)
            sent = headers(door.ada) | ({"host": host} if host else {})
            client.request(method, path, headers=sent)

        with httpx.Client(base_url=door.url) as client:
            ask()
        labels = Scraped(door, key).labels()
    assert {value for name, value in labels if name == "route"} <= ROUTES
    assert {value for name, value in labels if name == "method"} <= METHODS
    assert {name for name, _ in labels} <= {
        "route", "method", "status", "le", "operation", "outcome", "reason",
    }  # fmt: skip
    statuses = {value for name, value in labels if name == "status"}
    assert all(status == "aborted" or 200 <= int(status) < 600 for status in statuses)
