"""The files on the page "Deploy it" are those of `examples/deploy`, and programs accept them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from traitlets.config.loader import PyFileConfigLoader

from tests.docs.pages import ROOT
from tests.serve.running import door as open_door
from tests.serve.upstreams import chat_chunk, event, misbehaving, start
from tests.servers.instances import free_port
from threadkeep import connect

FOLDER = ROOT / "examples" / "deploy"
PAGE = (ROOT / "docs" / "how-to" / "deploy.md").read_text("utf-8")
BLOCKS = set(re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
FILES = sorted(path.name for path in FOLDER.iterdir() if path.is_file())


def content(name):
    return (FOLDER / name).read_text("utf-8")


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    return found


def checked(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_the_file_and_says_how_it_is_checked(name):
    assert content(name) in BLOCKS
    assert f"| `{name}` |" in PAGE


def commands():
    unit = re.search(r"^ExecStart=(.*)$", content("threadkeep.service"), re.MULTILINE)
    lists = r"^(?:ENTRYPOINT|CMD) \[(.*)\]$"
    entry, rest = re.findall(lists, content("Containerfile"), re.MULTILINE)
    assert unit is not None
    hub = PyFileConfigLoader("jupyterhub_config.py", str(FOLDER)).load_config()
    return {
        "unit": shlex.split(unit[1])[1:],
        "container": [word.strip(' "') for word in f"{entry}, {rest}".split(",")][1:],
        "hub": hub.JupyterHub.services[0]["command"][1:],
    }


@pytest.mark.parametrize("name", ["unit", "container", "hub"])
def test_the_command_line_is_one_of_ours(name, tmp_path):
    """Each option is known: the command goes so far that it misses the file of keys."""
    words = [
        str(tmp_path / "none") if word.endswith("keys.jsonl") else word for word in commands()[name]
    ]
    done = subprocess.run(
        [sys.executable, "-m", "threadkeep", *words, "--url", "memory://"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "No such file" in done.stderr


def test_systemd_accepts_the_unit(tmp_path):
    script = Path(sys.executable).with_name("threadkeep")
    unit = tmp_path / "threadkeep.service"
    installed = "/opt/threadkeep/bin/threadkeep"
    unit.write_text(content("threadkeep.service").replace(installed, str(script)))
    said = checked(program("systemd-analyze"), "verify", "--man=no", str(unit))
    assert "threadkeep.service" not in said, said


def test_caddy_accepts_its_file(tmp_path):
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    config = str(FOLDER / "Caddyfile")
    said = checked(
        program("caddy"), "validate", "--adapter", "caddyfile", "--config", config, env=env
    )
    assert "Valid configuration" in said


def nginx_file(tmp_path, port, upstream_port):
    """The file within what Debian's package has around it, on ports and with a certificate."""
    authority = trustme.CA()
    certificate = authority.issue_cert("chat.example.org")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    site = content("nginx.conf")
    site = site.replace("/etc/ssl/private/chat.example.org.key", str(tmp_path / "pem"))
    site = site.replace("/etc/ssl/chat.example.org.pem", str(tmp_path / "pem"))
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    site = site.replace("127.0.0.1:8377", f"127.0.0.1:{upstream_port}")
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = tmp_path / "nginx.conf"
    path.write_text(
        f"daemon off;\nuser root;\npid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}{site}\n}}\n"
    )
    return path


@contextmanager
def nginx(tmp_path, upstream_url):
    port = free_port()
    path = nginx_file(tmp_path, port, httpx.URL(upstream_url).port)
    binary = program("nginx")
    checked(binary, "-t", "-c", str(path), "-e", "stderr")
    process = subprocess.Popen([binary, "-c", str(path), "-e", "stderr"], stderr=subprocess.DEVNULL)
    try:
        import ssl

        trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        extensions = {"sni_hostname": "chat.example.org"}
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=trusted, timeout=30,
            headers={"host": "chat.example.org"},
        ) as client:  # fmt: skip
            client.event_hooks["request"] = [lambda request: request.extensions.update(extensions)]
            deadline = time.monotonic() + 30
            while True:
                try:
                    client.get("/health")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def test_nginx_passes_streams_on_as_they_come_and_keeps_the_limits(tmp_path):
    program("nginx")

    def slowly(handler, body):
        start(handler)
        chat_chunk(handler, "first")
        time.sleep(2)
        chat_chunk(handler, "last", "stop")
        event(handler, "[DONE]")

    with (
        connect(tmp_path / "chat.db") as memory,
        misbehaving(slowly) as upstream,
        open_door(memory, tmp_path, upstream=upstream.url, hosts=["chat.example.org"]) as door,
        nginx(tmp_path, door.url) as client,
    ):
        key = {"authorization": f"Bearer {door.ada}"}
        assert client.get("/v1/conversations", headers=key).status_code == 200
        assert client.get("/metrics", headers=key).status_code == 404
        large = client.post("/v1/conversations", headers=key, content=b" " * 17_000_000)
        assert large.status_code == 413
        sent = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        began = time.monotonic()
        with client.stream("POST", "/v1/chat/completions", headers=key, json=sent) as answer:
            chunks = answer.iter_bytes()
            received = next(chunks)
            assert b"first" in received
            assert b"last" not in received
            assert b"last" in b"".join(chunks)
        assert time.monotonic() - began >= 2
