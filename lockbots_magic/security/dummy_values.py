"""Words that stand in the place of a credential where a server checks none. Pure."""

from __future__ import annotations

import re

MAX_DUMMY = 40
"""Length (characters) of the longest value that can be a dummy."""

_DUMMY_VOCABULARY = (
    "sk api key apikey token auth none null nil no not non need needed needs require required necessary unused used use"
    " any anything whatever something nothing empty blank default placeholder dummy fake mock test tests testing tester"
    " demo sample example ignore ignored local localhost offline self hosted server my your the here change changeme me"
    " this it insert replace with todo tbd foo bar baz abc public anonymous guest unknown"
    " lm studio lmstudio ollama llama llamacpp cpp vllm openai jan kobold koboldcpp localai sglang mlx tgi llamafile"
    " litellm oobabooga textgen nokey noauth notneeded notrequired notused yourapikey yourkey myapikey testkey dummykey"
    " fakekey"
)
_DUMMY_WORDS = frozenset(_DUMMY_VOCABULARY.split())
"""What people give to servers that check no key: words of this kind alone, such as `lm-studio` or `not-needed`.

Each word is one that documentation of local servers uses as a key. A real key has letters beyond them: one unknown word
or digit makes it real. "secret" and "password" are left out, since passwords that people make up have them.
"""


def is_dummy_value(value: str) -> bool:
    """Tell whether `value` consists of `_DUMMY_WORDS` and rows of x or asterisks alone."""
    words = re.split(r"[-_. /]+", value.lower())
    return len(value) <= MAX_DUMMY and all(word in _DUMMY_WORDS or not word.strip("x*") for word in words)
