"""A machine that asked for JSON gets one object, also when the verb could not do its work."""

import json

import pytest

from synthspec.cli.failing import fail


@pytest.mark.parametrize("words", [["validate", "--format", "json", "x"], ["validate", "x", "--format=json"]])
def test_json_is_answered_in_json(capsys, words):
    fail("error: x: no such file", words)
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert said["failure"] == "error: x: no such file"
    assert said["findings"] == []
    assert said["format_version"] == "1"
    assert err == "error: x: no such file\n"


@pytest.mark.parametrize("words", [["validate", "x"], ["validate", "--format", "text", "json"], ["--format"]])
def test_nobody_else_gets_any(capsys, words):
    fail("error: x", words)
    assert capsys.readouterr().out == ""


def test_without_a_command_line_it_is_words_alone(capsys):
    """A program that was embedded somewhere else has no words to look at."""
    from synthspec.cli.failing import fail

    fail("it failed", ())
    assert capsys.readouterr() == ("", "it failed\n")
    fail("it failed", ("--format", "json"))
    assert '"failure": "it failed"' in capsys.readouterr().out
    fail("it failed", ("--format",))
    assert capsys.readouterr().out == ""
