"""Secrets of known shapes never get through, whatever stands around them; other text does."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadkeep import connect, import_chats
from threadkeep.importers import Watcher, redact_secrets
from threadkeep.importers.secrets import MARK
from threadkeep.serve.principal import new_key

LETTERS = string.ascii_letters + string.digits


def drawn(size, alphabet=LETTERS):
    return st.text(st.sampled_from(alphabet), min_size=size, max_size=size)


UPPER = string.ascii_uppercase + "234567"
SECRETS = st.one_of(
    drawn(16, UPPER).map("AKIA{}".format),
    drawn(16, UPPER).map("ASIA{}".format),
    drawn(36).map("ghp_{}".format),
    drawn(36).map("ghs_{}".format),
    drawn(60).map("github_pat_{}".format),
    drawn(20).map("glpat-{}".format),
    drawn(48).map("sk-{}".format),
    drawn(80).map("sk-proj-{}".format),
    drawn(90).map("sk-ant-api03-{}".format),
    drawn(24).map("xoxb-1234567890-{}".format),
    drawn(35).map("AIza{}".format),
    drawn(24).map("sk_live_{}".format),
    drawn(36).map("npm_{}".format),
    drawn(60).map("pypi-{}".format),
    drawn(34).map("hf_{}".format),
    drawn(24).map("https://hooks.slack.com/services/T000/B000/{}".format),
    drawn(64).map("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----".format),
    drawn(64).map("-----BEGIN OPENSSH PRIVATE KEY-----\n{}".format),  # cut off
    st.builds("eyJ{}.eyJ{}.{}".format, drawn(20), drawn(40), drawn(43)),
    st.builds(new_key),
)
PASSWORD = st.text(st.sampled_from(LETTERS + "!#%-_.+"), min_size=8, max_size=20).filter(
    lambda text: any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
).filter(lambda text: text[0] not in "%x.")  # fmt: skip
AROUND = st.text(st.sampled_from(" \n\t\"'.,;:()[]é🧵"), max_size=5)


@settings(max_examples=400)
@given(before=AROUND, secret=SECRETS, after=AROUND)
def test_a_key_never_gets_through(before, secret, after):
    redacted = redact_secrets(f"use {before}{secret}{after}")
    assert MARK in redacted
    assert secret not in redacted
    assert secret[-20:].strip("-") not in redacted


@given(
    password=PASSWORD,
    shape=st.sampled_from(
        [
            "password={}", "PASSWORD: {}", "DB_PASSWORD='{}'", '"password": "{}"', "pwd={};x=1",
            r"{{\"api_key\": \"{}\"}}", "--password={}", "export SECRET_KEY={}", "token = \"{}\"",
            "postgres://ada:{}@db.example.org/chats", "aws_secret_access_key = {}",
            "client_secret={}&x=1", "Authorization: Bearer {}{}", "curl -u x https://u:{}@h/",
        ]
    ),
)  # fmt: skip
def test_what_is_assigned_to_a_secret_name_never_gets_through(password, shape):
    text = shape.format(password, password)
    redacted = redact_secrets(f"run {text} now")
    assert password not in redacted
    assert "run " in redacted


@pytest.mark.parametrize(
    "text",
    [
        "The password is kept in the vault",
        "max_tokens=3000 and token_count: 12",
        "def login(password: str) -> None: ...",
        "password = getpass.getpass()",
        "password=None, token=$TOKEN, secret: ${{ secrets.KEY }}",
        "git commit 4f1c0a9e8da408e93698697cabcb3add2a640d34",
        "https://example.org/a?b=c and postgres://db.example.org/chats",
        "sk-learn and task-runner-with-a-very-long-name are packages",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "Bearer authentication is documented there; the Authorization header is not",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_other_text_stays_as_it_is(text):
    assert redact_secrets(text) == text


@pytest.mark.parametrize("unit", ["password", "a", "token=", "sk-", "eyJ", "-----BEGIN ", "x://a:"])
def test_a_megabyte_is_read_in_a_moment(unit):
    import time

    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    redact_secrets(text)
    assert time.process_time() - began < 10


SECRET = "sk-proj-" + "a1" * 20


def test_a_watched_store_holds_no_secret(tmp_path):
    from tests.importers.test_watch import lines

    folder = tmp_path / "projects"
    folder.mkdir()
    call = {"type": "tool_use", "id": "t1", "name": "Login",
            "input": {"password": "correct horse", "note": f"key {SECRET}"}}  # fmt: skip
    result = {"type": "tool_result", "tool_use_id": "t1", "content": f"OPENAI={SECRET}"}
    turns = [("user", f"my key is {SECRET}"), ("assistant", [call]), ("user", [result])]
    path = folder / "s1.jsonl"
    path.write_bytes(b"".join(lines(*turns, cwd=f"/src/{SECRET}")))
    with connect(tmp_path / "chat.db") as memory:
        Watcher(memory, [folder], user="ada", state=False).poll()
        assert len(memory.session("s1").items()) == 3
        assert import_chats(memory, folder, user="ada").messages == 0  # the ids are the same
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("chat.db*"))
    assert b"my key is [secret removed]" in stored
    assert SECRET.encode() not in stored
    assert b"correct horse" not in stored
    with connect(tmp_path / "raw.db") as memory:
        Watcher(memory, [folder], user="ada", state=False, redactor=None).poll()
        assert SECRET in memory.session("s1").items()[0].text
