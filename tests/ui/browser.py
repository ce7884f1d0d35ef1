"""Debian's chromium, headless, told what to do through a pipe: the DevTools protocol.

Without it the tests that need it are skipped; `make servers` installs it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers.instances import absent

SECONDS = 60.0
KEYS = {"Tab": 9, "Enter": 13, "Space": 32, "Escape": 27}
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # there is no user namespace in a container, and the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


def program() -> str:
    """The path of chromium. Skips the test if it is not installed."""
    found = os.environ.get("THREADKEEP_TEST_CHROMIUM") or shutil.which("chromium")
    if found is None:
        absent("chromium", "chromium is not installed, and THREADKEEP_TEST_CHROMIUM is not set")
    return found


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """A browser with a profile of its own, which is thrown away."""
    path = program()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        read_by_browser, to_browser = os.pipe()
        from_browser, written_by_browser = os.pipe()

        # the browser reads from descriptor 3 and writes to 4; sh cannot name those above 9
        command = f'exec 3<&{read_by_browser} 4>&{written_by_browser}; exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", command, "bash", path, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(read_by_browser, written_by_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(read_by_browser)
        os.close(written_by_browser)
        try:
            yield Browser(to_browser, from_browser)
        finally:
            process.kill()
            process.wait()
            os.close(to_browser)
            os.close(from_browser)


class Browser:
    """A browser with one page open.

    Attributes:
        faults: what the page said of itself: errors, and what the policy of the page refused.
    """

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer, self._last_id = b"", 0
        self._session: str | None = None
        self._loaded = 0
        self.faults: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.size(1100, 800)

    def size(self, width: int, height: int) -> None:
        """The size of the window, in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def colours(self, scheme: str) -> None:
        """What `prefers-color-scheme` is: `dark` or `light`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        loaded = self._loaded
        answer = self.send("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.wait(loaded)

    def wait(self, loaded: int) -> None:
        """Wait for a page behind so many."""
        until = time.monotonic() + SECONDS
        while self._loaded <= loaded:
            assert time.monotonic() < until, "no page was loaded"
            self._receive()

    @property
    def loaded(self) -> int:
        """How many pages were loaded."""
        return self._loaded

    def evaluate(self, expression: str):
        """The value of an expression of JavaScript, by the tester, whom no policy binds."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def dom(self) -> str:
        """The page as the browser understood it."""
        return str(self.evaluate("document.documentElement.outerHTML"))

    def text(self) -> str:
        """What can be read on the page."""
        return str(self.evaluate("document.body.innerText"))

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"Enter": {"text": "\r"}, "Space": {"text": " ", "key": " "}}.get(key, {})
        self.send("Input.dispatchKeyEvent", type="keyDown", **(code | text))
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.send("Input.insertText", text=text)

    def follow(self, act) -> None:
        """Do something that leads to another page, and wait for that."""
        loaded = self._loaded
        act()
        self.wait(loaded)

    def screenshot(self, path: Path) -> None:
        """Write the window as a PNG."""
        answer = self.send("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    def send(self, method: str, /, **parameters):
        """Have the browser do something, and return what it answers."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            received = self._receive()
            if received.get("id") == self._last_id:
                assert "error" not in received, (method, received["error"])
                return received["result"]

    def _receive(self):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], SECONDS)
            assert ready, "the browser is silent"
            chunk = os.read(self._from, 1 << 20)
            assert chunk, "the browser is gone"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        self._note(message)
        return message

    def _note(self, message) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded += 1
        elif method == "Runtime.exceptionThrown":
            self.faults.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.faults.append(f"{parameters['entry']['text']} {parameters['entry'].get('url')}")
        elif method == "Page.javascriptDialogOpening":
            self.faults.append(f"dialog: {parameters['message']}")
