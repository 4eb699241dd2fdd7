"""report.html as a browser shows it: nothing asked of the network, no error, no accessibility fault, at any width and theme.

Chromium is spoken to over its debugging pipe (Chrome DevTools Protocol), so nothing has to be installed beside it. The
check of accessibility is axe-core (``npm install -g axe-core``, or AXE_CORE with the path of ``axe.min.js``).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BEYOND = """[...document.querySelectorAll('main *')].filter(e => { const r = e.getBoundingClientRect();
return r.width > 0 && (r.right > innerWidth + 1 || r.left < -1) && !e.closest('thead') }).map(e => e.outerHTML.slice(0, 80))"""
AUDIT = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
each => `${each.impact} ${each.id}: ${each.nodes[0].html}`))"""
STEPS = 400


class Chromium:
    """One page of a headless browser; `said` is what it told meanwhile."""

    def __init__(self, program: str, profile: Path) -> None:
        reads, to = os.pipe()
        back, writes = os.pipe()
        # Away from the places 3 and 4, where the browser looks for its pipe.
        theirs = [fcntl.fcntl(each, fcntl.F_DUPFD, 50) for each in (reads, writes)]
        command = f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}'
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", command, "chromium", program, *flags, f"--user-data-dir={profile}"],
            pass_fds=theirs,
            stderr=subprocess.DEVNULL,
        )
        for each in (reads, writes, *theirs):
            os.close(each)
        self.to, self.back = os.fdopen(to, "wb", 0), os.fdopen(back, "rb")
        self.number, self.said = 0, []
        self.session: str | None = None
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: Any) -> Any:
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.to.write(json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while True:
            answer = self.hear()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]

    def hear(self) -> Any:
        data = bytearray()
        while (each := self.back.read(1)) != b"\0":
            assert each, "the browser closed its pipe"
            data += each
        message = json.loads(bytes(data))
        if "method" in message:
            self.said.append(message)
        return message

    def value(self, expression: str) -> Any:
        found = self("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def told(self, *methods: str) -> list[Any]:
        return [each["params"] for each in self.said if each["method"] in methods]

    def visit(self, page: Path, width: int, theme: str) -> None:
        self.said.clear()
        self("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self("Page.navigate", url=page.as_uri())
        while not self.told("Page.loadEventFired"):
            self.hear()

    def close(self) -> None:
        self.session = None
        self.number += 1
        self.to.write(json.dumps({"id": self.number, "method": "Browser.close"}).encode() + b"\0")
        self.process.wait(30)
        self.to.close()
        self.back.close()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"NOT TESTED: report.html in a browser; none of {', '.join(BROWSERS)} is installed")
    browser = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def axe() -> str:
    """The source of axe-core."""
    places = [Path(os.environ["AXE_CORE"])] if "AXE_CORE" in os.environ else []
    if npm := shutil.which("npm"):
        root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False).stdout.strip()
        places.append(Path(root) / "axe-core" / "axe.min.js")
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip("NOT TESTED: accessibility of report.html; axe-core is not installed (npm install -g axe-core)")
    return found.read_text(encoding="utf-8")


VIEWS = [("marks", 360, "light"), ("pictures", 360, "dark"), ("marks", 1200, "dark"), ("pictures", 1200, "light")]
"""A table and pictures, on a phone and on a desk, by day and by night."""


@pytest.mark.parametrize(("name", "width", "theme"), VIEWS)
def test_a_browser_asks_for_nothing_complains_of_nothing_and_fits_it_in(chromium, request, name, width, theme):
    page = request.getfixturevalue(name).folder / "report.html"
    chromium.visit(page, width, theme)
    asked = [each["request"]["url"] for each in chromium.told("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert chromium.told("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown") == []
    assert chromium.value(BEYOND) == []
    assert chromium.value("document.documentElement.scrollWidth") <= width
    dark = chromium.value("getComputedStyle(document.body).backgroundColor") == "rgb(18, 23, 29)"
    assert dark == (theme == "dark")
    assert chromium.value("[...document.images].every(each => each.complete && each.naturalWidth > 0)")


def test_the_policy_is_obeyed_even_by_an_intruder(chromium, marks):
    """A style and a picture of elsewhere, put into the page by hand, get nowhere."""
    chromium.visit(marks.folder / "report.html", 1200, "light")
    chromium.said.clear()
    chromium.value(
        "document.body.insertAdjacentHTML('beforeend', '<img src=https://example.invalid/x.png><p style=color:red id=i>x</p>')"
    )
    chromium.value("new Promise(done => setTimeout(done, 50))")
    assert chromium.value("getComputedStyle(document.getElementById('i')).color") != "rgb(255, 0, 0)"
    blocked = {each["blockedReason"] for each in chromium.told("Network.loadingFailed") if "blockedReason" in each}
    assert blocked <= {"csp"}
    assert not chromium.told("Network.responseReceived")
    assert any("Content Security Policy" in each["entry"]["text"] for each in chromium.told("Log.entryAdded"))


@pytest.mark.parametrize(("name", "width", "theme"), VIEWS)
def test_axe_finds_nothing(chromium, request, name, width, theme):
    source = axe()
    chromium.visit(request.getfixturevalue(name).folder / "report.html", width, theme)
    chromium.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    chromium.value(f"{source};0")
    assert chromium.value(AUDIT) == []


def test_the_keyboard_reaches_every_link_and_every_disclosure_in_order(chromium, marks):
    chromium.visit(marks.folder / "report.html", 1200, "light")
    wanted = chromium.value("document.querySelectorAll('a[href], summary').length")
    seen: list[Any] = []
    for _ in range(STEPS):
        chromium("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        chromium("Input.dispatchKeyEvent", type="keyUp", key="Tab", code="Tab", windowsVirtualKeyCode=9)
        place = chromium.value("[...document.querySelectorAll('a[href], summary')].indexOf(document.activeElement)")
        if place < 0 or place in seen:
            break
        assert chromium.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        seen.append(place)
    assert seen == list(range(wanted))
