"""Progress: a bar on a terminal, seldom a line elsewhere, nothing when asked to be quiet."""

from __future__ import annotations

import io

import pytest

from synthspec.report import progress
from synthspec.report.progress import BarProgress, PlainProgress, SilentProgress, progress_for
from synthspec.report.style import style_for


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Time that stands still until it is told to go on."""
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])

    def later(seconds):
        now[0] += seconds

    return later


def test_a_phase_is_one_line_and_then_one_every_ten_seconds_with_the_time_left(clock):
    stream = io.StringIO()
    told = PlainProgress(stream)
    told.start("fit", 100, "steps")
    assert stream.getvalue() == "fit: 100 steps\n"
    for _ in range(20):
        clock(1.0)
        told.advance(2, "loss 0.31")
    assert stream.getvalue().splitlines()[1:] == [
        "fit: 20/100 steps, 40 s left, loss 0.31",
        "fit: 40/100 steps, 30 s left, loss 0.31",
    ]
    told.close()
    assert stream.getvalue().count("\n") == 3


def test_the_next_phase_counts_from_the_beginning(clock):
    stream = io.StringIO()
    told = PlainProgress(stream)
    told.start("fit", 10, "steps")
    clock(9.0)
    told.advance(5)
    told.start("sample", 4, "records")
    clock(10.0)
    told.advance(1)
    assert stream.getvalue().splitlines() == ["fit: 10 steps", "sample: 4 records", "sample: 1/4 records, 30 s left"]


def test_more_than_was_announced_leaves_no_time_below_nothing(clock):
    stream = io.StringIO()
    told = PlainProgress(stream)
    told.start("fit", 1, "steps")
    clock(20.0)
    told.advance(3)
    assert stream.getvalue().splitlines()[1] == "fit: 3/1 steps, 0 s left"


def test_no_work_done_is_no_line_however_long_it_takes(clock):
    stream = io.StringIO()
    told = PlainProgress(stream)
    told.start("fit", 5, "steps")
    clock(60.0)
    told.advance(0)
    assert stream.getvalue() == "fit: 5 steps\n"


def test_what_suits_a_stream():
    assert isinstance(progress_for(io.StringIO(), quiet=False), PlainProgress)
    assert isinstance(progress_for(io.StringIO(), quiet=True), SilentProgress)
    assert isinstance(progress_for(Terminal(), quiet=True), SilentProgress)
    assert isinstance(progress_for(None, quiet=False), SilentProgress)
    bar = progress_for(Terminal(), quiet=False)
    assert isinstance(bar, BarProgress)
    bar.close()


def test_silence_is_silent(capsys):
    told = SilentProgress()
    told.start("fit", 5, "steps")
    told.advance(1, "x")
    told.close()
    assert capsys.readouterr() == ("", "")


def test_a_bar_is_drawn_over_itself_and_gone_at_the_end(monkeypatch, capsys):
    told = BarProgress()
    told.start("fit", 5, "steps")
    told.advance(2, "loss 0.31")
    told.start("sample", 3, "records")
    told.advance(3)
    told.close()
    assert capsys.readouterr().out == ""
    told.advance(1)


@pytest.mark.parametrize(
    ("stream", "environment", "colour"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (None, {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_that_take_it(monkeypatch, stream, environment, colour):
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)
    if "NO_COLOR" not in environment:
        monkeypatch.delenv("NO_COLOR", raising=False)
    assert style_for(stream).colour is colour
