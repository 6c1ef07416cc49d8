"""Credentials: objects that hide them, and find and mask them in text."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from threading import RLock
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from ..language import _
from ..late_pattern import late_pattern
from .abbreviations import mask_abbreviated
from .control_characters import PARTING, has_parting, without_parting
from .credential_forms import ENCODED_PARTING, base64_forms, is_encoded, letter_pattern, literal_forms
from .dummy_values import is_dummy_value
from .letter_folding import fold, variants
from .visible_text import TAG, TextViews

MIN_SEARCHED = 8
"""Length (characters) from which a credential is searched for in any text; a shorter one may be a common word."""
MIN_ALONE = 4
"""Length (characters) from which a credential is masked where it stands alone, in an error of its own provider."""
MASK = "***"
"""Text that stands in place of a credential."""
MAX_HELD = 2_000
"""Length (characters) of an end that a `Redactor` holds back whole; a longer one loses its invisible characters."""

_WHOLE_WORD = r"(?<![\w-]){}(?![\w-])"
_LETTER = late_pattern(f"(?!{PARTING}).", re.DOTALL)
_UNWRAPPED_LETTER = late_pattern(rf"(?!{PARTING})\S")
_PART = f"{PARTING}|{ENCODED_PARTING}"
_BREAK = r"(?:\s|\\{1,4}[nrt]|%(?:25){0,3}(?:0[aAdD9]|20)|&(?:amp;){0,3}#(?:1[03]|9|[xX]0{0,6}[aAdD9]);?)"
"""What wraps base64 to lines, in any encoding."""
_PASTED = late_pattern(r"""\s*(?P<quote>['"]?)(?:Bearer\s+)?(?P<value>[^\s'"]+)(?P=quote)\s*""", re.IGNORECASE)


class MalformedCredential(ValueError):  # noqa: N818  # the name states the condition
    """The credential can't be sent in a header."""


Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def without_frames(action: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Raise what `action` raises, an interrupt too, without its frames: their locals hold a credential."""

    @functools.wraps(action)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return action(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # re-raised
            args, kwargs = (), {}  # type: ignore[assignment]  # locals, too
            raise error.with_traceback(None)  # noqa: B904  # the same error

    return run


@without_frames
def _unquote(value: str) -> str:
    """Return a credential without what was copied along with it."""
    pasted = _PASTED.fullmatch(value) if isinstance(value, str) else None
    return pasted["value"] if pasted else value


class Secret:
    """A credential whose `repr` and `str` hide it. A copy is the same object; pickling raises `TypeError`.

    It is found in a text also where its letters are encoded (`credential_forms`), and where characters that nobody sees
    (`control_characters.PARTING`) stand between them; in base64 also where line breaks do.

    Args:
        value: The credential.
        scheme: Prefix in the header, such as ``"Bearer "``.

    Raises:
        MalformedCredential: The value is empty, or holds a line break or a non-ASCII character.

    Example:
        >>> Secret("sk-0123456789")
        Secret(***)
    """

    __slots__ = (
        "__weakref__",
        "_bearer",
        "_encoded",
        "_folded",
        "_forms",
        "_mixed_forms",
        "_parted_forms",
        "_scheme",
        "_start",
        "_value",
        "_wrappable",
        "_wrapped_forms",
        "is_dummy",
    )

    @without_frames
    def __init__(self, value: str, scheme: str = "") -> None:
        value = value.strip() if isinstance(value, str) else ""
        if not (value and value.isascii() and value.isprintable()):
            value = ""  # a debugger or `%xmode Verbose` shows the locals of this frame
            raise MalformedCredential(
                _("the credential is empty, or holds a line break or a character that can't be sent; copy it again")
            )
        self._value = value
        self._scheme = scheme
        self._bearer: Secret | None = None
        self.is_dummy = is_dummy_value(value)
        """True for a word that stands in the place of a credential where none is checked; it is not masked."""
        self._forms = literal_forms(value)
        self._parted_forms: re.Pattern[str] | None = None
        self._encoded = (value, *dict.fromkeys(base64_forms(value)))  # what may be encoded once more
        self._folded = fold(value)
        self._wrappable = tuple(form.encode() for form in self._encoded[1:])
        self._mixed_forms: dict[str, re.Pattern[str]] = {}
        self._wrapped_forms: re.Pattern[str] | None = None
        starts = {form[:2] for form in self._forms}
        wrapped = (rf"{re.escape(form[0])}\s*(?:{re.escape(form[1])}|\Z)" for form in self._encoded[1:])
        ends = (rf"{re.escape(start[0])}\Z" for start in starts)
        first, second = (f"[{re.escape(variants(letter))}]" for letter in value[:2].ljust(2))
        cased = rf"{first}(?:{second}|\Z)"
        self._start = re.compile("|".join(dict.fromkeys([*map(re.escape, starts), *ends, *wrapped, cased])))
        LIVE.add(self)

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap `value` without the quotes or the word ``Bearer`` around it; return None for None and for blank text.

        Files of variables keep quotes that a shell removes (``docker run --env-file``), and headers are pasted whole.

        Raises:
            MalformedCredential: The value can't be sent in a header.
        """
        if value is None or isinstance(value, Secret):
            return value
        return cls(_unquote(value)) if value and not (isinstance(value, str) and value.isspace()) else None

    def bearer(self) -> Secret:
        """Return the credential with the prefix of a bearer token (RFC 6750, section 2.1)."""
        if self._bearer is None:
            self._bearer = Secret(self._value, "Bearer ")
        return self._bearer

    def reveal(self) -> str:
        """Return the credential as it is sent, with its prefix."""
        return self._scheme + self._value

    def size(self) -> int:
        """Return the length of the credential (characters)."""
        return len(self._value)

    @property
    def is_searched(self) -> bool:
        """True if the credential is masked wherever it stands in a text: it is neither short nor a dummy."""
        return len(self._value) >= MIN_SEARCHED and not self.is_dummy

    @without_frames
    def redact(self, text: str) -> str:
        """Mask the credential in `text`, also where it is written as in a URL, in HTML, in JSON or in base64.

        A short one is masked only where it stands alone; one letter, and a dummy, stay.
        """
        if self.is_searched:
            return self.mask(text, TextViews.of(text))
        if self.is_dummy or len(self._value) < MIN_ALONE:
            return text
        return re.sub(_WHOLE_WORD.format(re.escape(self._value)), MASK, text)

    @without_frames
    def mask(self, text: str, views: TextViews) -> str:
        """Mask a credential that is searched for.

        Args:
            text: The text.
            views: What it holds behind its encodings, see `TextViews.of`.
        """
        for form in self._forms:
            text = text.replace(form, MASK)
        if any(form in views.unwrapped for form in self._wrappable):
            text = self._wrapped().sub(MASK, text)
        if any(form in views.bare for form in self._forms):
            text = self._parted().sub(MASK, text)
        if self._folded in views.folded:
            text = self._mixed(self._value).sub(MASK, text)
        if views.plain and is_encoded(text):
            for form in self._encoded[1:]:
                text = self._mixed(form).sub(MASK, text) if form in views.plain else text
        return mask_abbreviated(text, self._value, MASK)

    def _mixed(self, form: str) -> re.Pattern[str]:
        """Return the pattern of the letters of a form in any encoding, each in its own; of the value, in any case."""
        if form not in self._mixed_forms:
            letters = (letter_pattern(letter, folded=form is self._value) for letter in form)
            self._mixed_forms[form] = re.compile(f"(?:{_PART})*".join(letters))
        return self._mixed_forms[form]

    def _parted(self) -> re.Pattern[str]:
        """Return the pattern of all forms with invisible characters between their letters."""
        if self._parted_forms is None:
            gap = f"{PARTING}*"
            self._parted_forms = re.compile("|".join(gap.join(map(re.escape, form)) for form in self._forms))
        return self._parted_forms

    def _wrapped(self) -> re.Pattern[str]:
        """Return the pattern of base64 that is wrapped to lines, in any encoding."""
        if self._wrapped_forms is None:
            gap = f"(?:{_PART}|{_BREAK})*"
            self._wrapped_forms = re.compile(
                "|".join(gap.join(map(letter_pattern, form)) for form in self._encoded[1:]) or r"(?!)"
            )
        return self._wrapped_forms

    @without_frames
    def redact_across_tags(self, html: str) -> str:
        """Mask the credential in `html` where tags or entities part it, as they do in highlighted code."""
        for form in self._encoded:
            gap = f"(?:{TAG.pattern}|{_PART}" + (")*" if form is self._value else f"|{_BREAK})*")
            parted = re.compile(gap.join(letter_pattern(letter, folded=form is self._value) for letter in form))
            html = parted.sub(lambda match: MASK + "".join(TAG.findall(match[0])), html)
        return html

    @without_frames
    def redact_escaped(self, markdown: str) -> str:
        """Mask the credential in `markdown` where backslashes or entities stand in it."""
        return self._mixed(self._value).sub(MASK, markdown)

    @without_frames
    def is_text_of(self, visible: str, unwrapped: bytes) -> bool:
        """Tell whether a document holds the credential or its base64.

        Args:
            visible: Text of the document without its markup.
            unwrapped: The same without white space.
        """
        return self._folded in fold(visible) or any(form in unwrapped for form in self._wrappable)

    @without_frames
    def shows_in(self, text: str, views: TextViews) -> bool:
        """Tell whether `text` holds the credential, if that is searched for; arguments as for `mask`."""
        return self.is_searched and (
            any(form in text or form in views.bare for form in self._forms)
            or any(form in views.unwrapped for form in self._wrappable)
            or any(form in views.plain for form in self._encoded)
            or self._folded in views.folded
            or mask_abbreviated(text, self._value, "") != text
        )

    def may_begin_in(self, text: str) -> bool:
        """Tell whether the credential, or a beginning of it, may stand in `text`; False is certain, and fast."""
        return self._start.search(text) is not None or is_encoded(text) or has_parting(text)

    def begun_at_end_of(self, text: str) -> int:
        """Return how many characters at the end of `text` may be the beginning of the credential."""
        wrapped = self._begun_wrapped(text[-MAX_HELD:])
        if not has_parting(text):
            return max(wrapped, self._begun_letters(text))
        letters = self._begun_letters(without_parting(text))
        if not letters:
            return wrapped
        places = [letter.start() for letter in _LETTER.finditer(text)]
        return max(wrapped, len(text) - places[-letters])

    @without_frames
    def _begun_wrapped(self, text: str) -> int:
        """Return what `begun_at_end_of` does, for base64 that is wrapped to lines."""
        places = [letter.start() for letter in _UNWRAPPED_LETTER.finditer(text)]
        letters = "".join(text[place] for place in places)
        begun = max((_begun(form, letters) for form in self._encoded[1:]), default=0)
        return len(text) - places[-begun] if begun else 0

    @without_frames
    def _begun_letters(self, text: str) -> int:
        """Return what `begun_at_end_of` does, for a text without invisible characters."""
        return max(
            _begun(self._folded, fold(text[-len(self._folded) :])), *(_begun(form, text) for form in self._forms)
        )

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> str:
        raise TypeError(_("a credential is not saved"))


def _begun(form: str, text: str) -> int:
    """Return how many characters at the end of `text` begin `form`."""
    start = text.find(form[0], max(0, len(text) - len(form) + 1))
    while start >= 0 and not form.startswith(text[start:]):
        start = text.find(form[0], start + 1)
    return len(text) - start if start >= 0 else 0


class LiveSecrets:
    """The credentials of this process, as long as anything holds them."""

    def __init__(self) -> None:
        self.lock = RLock()  # the collector may end a reply that was dropped, whose text is cleaned, anywhere
        self.made = 0
        """Number of credentials made so far; it tells whether a list of them is still complete."""
        self._alive: WeakSet[Secret] = WeakSet()

    def add(self, secret: Secret) -> None:
        """Add a credential that was made."""
        with self.lock:
            self._alive.add(secret)
            self.made += 1

    def all(self) -> set[Secret]:
        """Return the credentials that something holds."""
        with self.lock:
            return {*self._alive}


LIVE = LiveSecrets()
