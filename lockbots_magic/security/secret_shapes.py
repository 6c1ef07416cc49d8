"""Secrets by their shapes: tokens of known services and private keys, besides those of `named_secrets`. Pure.

A credential that is in use is known and masked (`secrets`). Here is what nobody has told of: a key in a file, in a
variable or in settings. A shape is only a guess, so whatever is left out is named, and can be sent all the same.

Sources: the services' own documentation of their prefixes; RFC 7468 (private keys); RFC 7519 (JSON Web Tokens).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from ..language import N_, _
from ..late_pattern import late_pattern
from .named_secrets import LEFT_OUT, MIN_VALUE, Finding, find_named, has_digit, is_credential_name, is_uniform, is_value

MAX_NAMED = 5
"""Most secrets that one note names."""

_TOKENS = {
    N_("API key"): (
        r"sk-[A-Za-z0-9][A-Za-z0-9_-]{19,250}|/|lin_(?:api|oauth)_[A-Za-z0-9]{30,250}|/|ntn_[A-Za-z0-9]{40,250}|/|"
        r"tvly-[A-Za-z0-9-]{20,250}|/|csk-[A-Za-z0-9]{40,250}|/|fw_[A-Za-z0-9]{20,250}|/|LTAI[A-Za-z0-9]{16,26}|/|"
        r"tskey-[a-z]{3,10}-[A-Za-z0-9-]{20,250}"
    ),
    N_("access token"): (
        r"AT(?:ATT|CTT|BB)[A-Za-z0-9_=-]{30,250}|/|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,250}|/|hv[sbr]\.[A-Za-z0-9_-]{20,250}|/|"
        r"sbp_[a-zA-Z0-9]{36,250}|/|figd_[A-Za-z0-9_-]{38,250}|/|glsa_[A-Za-z0-9_]{38,250}|/|"
        r"sntry[su]_[A-Za-z0-9+/=_-]{40,400}|/|[st]k\.eyJ[A-Za-z0-9_-]{10,400}\.[A-Za-z0-9_-]{10,400}|/|"
        r"whsec_[A-Za-z0-9+/=]{24,250}"
    ),
    N_("Stripe key"): r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}",
    N_("GitHub token"): r"gh[pousr]_[A-Za-z0-9]{36,250}|/|github_pat_[A-Za-z0-9_]{22,250}",
    N_("GitLab token"): r"glpat-[A-Za-z0-9_-]{20,250}|/|GR1348941[A-Za-z0-9_-]{20,250}",
    N_("AWS key"): r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    N_("Google key"): r"AIza[A-Za-z0-9_-]{35}|/|ya29\.[A-Za-z0-9_-]{20,250}|/|GOCSPX-[A-Za-z0-9_-]{20,250}",
    N_("Slack token"): r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|/|xapp-[A-Za-z0-9-]{10,250}",
    N_("Slack address"): r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,250}",
    N_("Hugging Face token"): r"hf_[A-Za-z0-9]{30,250}",
    N_("Groq key"): r"gsk_[A-Za-z0-9]{40,250}",
    N_("xAI key"): r"xai-[A-Za-z0-9]{40,250}",
    N_("Perplexity key"): r"pplx-[A-Za-z0-9]{40,250}",
    N_("NVIDIA key"): r"nvapi-[A-Za-z0-9_-]{40,250}",
    N_("Replicate token"): r"r8_[A-Za-z0-9]{30,250}",
    N_("npm token"): r"npm_[A-Za-z0-9]{36,250}",
    N_("PyPI token"): r"pypi-AgE[A-Za-z0-9_-]{50,500}",
    N_("SendGrid key"): r"SG\.[A-Za-z0-9_-]{16,100}\.[A-Za-z0-9_-]{16,100}",
    N_("DigitalOcean token"): r"do[opr]_v1_[a-f0-9]{60,100}",
    N_("Databricks token"): r"dapi[a-f0-9]{32}",
    N_("Shopify token"): r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    N_("Telegram token"): r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    N_("Yandex key"): (
        r"AQVN[A-Za-z0-9_-]{35,38}(?![A-Za-z0-9_-])|/|y[0-6]_[A-Za-z0-9_-]{30,250}|/|"
        r"t1\.[A-Za-z0-9_-]{10,4000}={0,2}\.[A-Za-z0-9_-]{20,250}={0,2}"
    ),
    N_("JSON Web Token"): r"eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}",
    N_("Azure key"): r"AccountKey=[A-Za-z0-9+/]{60,100}={0,2}",
    N_("bearer token"): r"[Bb]earer [A-Za-z0-9._~+/-]{24,4000}={0,2}",
    N_("private key"): (
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z0-9 ]{0,60}-----)?"
        r"|/|AGE-SECRET-KEY-1[A-Z0-9]{50,70}"
    ),
    N_("password in an address"): r"(?<=://)[^\s/@:'\"<>\[\]{}$]{0,100}:[^\s/@:'\"<>\[\]{}$*]{3,200}(?=@[\w.-])",
}
_SHAPES = [(kind, late_pattern(pattern)) for kind, patterns in _TOKENS.items() for pattern in patterns.split("|/|")]
"""Each begins with fixed letters, which `re` searches fast."""
_MAY_HAVE_SHAPE = re.compile(r"\S{15}|://|-----BEGIN ")
"""What stands in every text that has one of the shapes: most prompts have none, and no pattern need be compiled."""
_WITHOUT_DIGIT = ("private key", "password in an address", "Slack address")


def find_secrets(text: str, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what looks like a secret in `text`, in order and without overlaps.

    Args:
        text: The text.
        environment: Environment variables; values of those that are named like credentials are found wherever they
            stand. By default none.
    """
    found = [*_find_shapes(text), *find_named(text)]
    found += _find_values(text, environment or {})
    kept: list[Finding] = []
    for one in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def leave_out_secrets(text: str, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return `text` without what looks like a secret, and what was left out, for a note; ``""`` if nothing was.

    Args:
        text: A prompt.
        environment: As for `find_secrets`; by default that of this process.

    Example:
        >>> leave_out_secrets("clone https://me:hunter22@git.example/a", {})
        ('clone https://[credential left out]@git.example/a', 'password in an address')
    """
    found = find_secrets(text, os.environ if environment is None else environment)
    if not found:
        return text, ""
    pieces, at = [], 0
    for one in found:
        pieces += [text[at : one.start], LEFT_OUT]
        at = one.end
    kinds = list(dict.fromkeys(map(describe_finding, found)))
    more = [_("{n} more", n=len(kinds) - MAX_NAMED)] if len(kinds) > MAX_NAMED else []
    return "".join([*pieces, text[at:]]), ", ".join([*kinds[:MAX_NAMED], *more])


def describe_finding(found: Finding) -> str:
    """Return what a finding is, in the current language."""
    return _("value of {name}", name=found.variable) if found.variable else _(found.kind)


def _find_shapes(text: str) -> Iterator[Finding]:
    if not _MAY_HAVE_SHAPE.search(text):
        return
    for kind, shape in _SHAPES:
        for match in shape.finditer(text):
            before = text[match.start() - 1 : match.start()]
            if before.isalnum() or before in ("_", "-", "+"):  # the middle of something longer
                continue
            if kind in _WITHOUT_DIGIT or (has_digit(match[0]) and not is_uniform(match[0])):
                yield Finding(kind, *match.span())


def _find_values(text: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in environment.items():
        if len(value) < MIN_VALUE or not is_credential_name(name) or not is_value(value):
            continue
        for form in {value, repr(value)[1:-1]}:
            start = text.find(form)
            while start >= 0:
                yield Finding(name, start, start + len(form), name)
                start = text.find(form, start + len(form))
