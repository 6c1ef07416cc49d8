"""A late pattern is compiled at its first use, and is then as any other."""

import copy
import pickle
import re

import pytest

from lockbots_magic.late_pattern import late_pattern


def test_pattern_is_compiled_once_at_its_first_use(monkeypatch):
    compiled = []
    compile_it = re.compile
    monkeypatch.setattr(re, "compile", lambda *source: compiled.append(source) or compile_it(*source))
    pattern = late_pattern(r"(?P<word>A+)", re.IGNORECASE)
    assert compiled == []
    assert pattern.search("baa")["word"] == "aa"
    assert pattern.sub("x", "baa") == "bx"
    assert (pattern.pattern, pattern.groups) == (r"(?P<word>A+)", 1)
    assert len(compiled) == 1


def test_invalid_pattern_fails_at_its_first_use():
    pattern = late_pattern("(")
    with pytest.raises(re.error):
        pattern.search("")


def test_pattern_can_be_copied_and_pickled_as_others_can():
    pattern = late_pattern("b+", re.IGNORECASE)
    for other in (copy.copy(pattern), copy.deepcopy(pattern), pickle.loads(pickle.dumps(pattern))):
        assert other.search("aBb")[0] == "Bb"
