"""Check HTML against the policy without a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from tests.hostile.policy import Rules

_VOID = ("br", "hr", "img")


class _Judge(HTMLParser):
    def __init__(self, rules: Rules) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.open: list[str] = []
        self._rules = rules

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        rule = self._rules.get(tag)
        if rule is None:
            self.faults.append(f"<{tag}>")
            return
        for name, value in attrs:
            if name not in rule or not re.fullmatch(rule[name], value or "", re.IGNORECASE):
                self.faults.append(f"<{tag} {name}={value!r}>"[:200])
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            self.faults.append(f"</{tag}> closes nothing")
            return
        while self.open.pop() != tag:
            pass

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"<!--{data[:60]}")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"<!{decl[:60]}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data[:60]}")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"<![{data[:60]}")


def faults_in(html: str, rules: Rules) -> list[str]:
    """Return what the rules do not allow in `html`: tags, attributes, comments, and unbalanced tags."""
    judge = _Judge(rules)
    judge.feed(html)
    judge.close()
    return [*judge.faults, *(f"<{tag}> stays open" for tag in judge.open if tag not in ("p", "li"))]
