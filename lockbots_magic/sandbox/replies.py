"""What the sandbox answers: a function of the messages, the same on every machine and every day."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

MAX_COUNT = 100_000

_CODE = """Here is a function that greets:

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

Call it as `greet("world")`."""

_PASSAGE = """## Section {n}

A lock keeps a **door** shut; a key opens it. The bolt moves by `{n}` steps, says the manual, and stops.

- turn the key
- push the door
- *step* inside

```python
for step in range({n}):
    turn(step)
```

| part | count |
|---|---|
| pins | {n} |

Ключ подходит к замку, и дверь открывается. """


def reply_to(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the reply to the last of `messages`.

    ``say X`` is answered with ``X``, ``count to N`` with the numbers, ``show code`` with Markdown that holds
    code, anything else with what was heard.
    """
    said = [m for m in messages if m.get("role") != "system"]
    prompt = str(said[-1].get("content", "")) if said else ""
    if prompt.startswith("say "):
        return prompt.removeprefix("say ")
    if counted := re.fullmatch(r"count to (\d{1,9})", prompt.strip()):
        return " ".join(str(n) for n in range(1, min(int(counted[1]), MAX_COUNT) + 1))
    if prompt.strip() == "show code":
        return _CODE
    if re.search("[а-яё]", prompt, re.IGNORECASE):
        return f"Вы сказали: «{prompt}». Сообщений до этого: {len(said) - 1}."
    return f'You said: "{prompt}". I have heard {len(said)} message{"" if len(said) == 1 else "s"}.'


def tokens(count: int) -> str:
    """Return Markdown of `count` words, each with the white space after it."""
    sections = (_PASSAGE.format(n=n) for n in itertools.count(1))
    words = (word for section in sections for word in words_of(section))
    return "".join(itertools.islice(words, count))


def words_of(text: str) -> list[str]:
    """Cut `text` into words, each with the white space after it."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def bytes_of(text: str) -> list[bytes]:
    """Cut the UTF-8 form of `text` after each word, and in the middle of every character that has one."""
    return [p for p in re.split(rb"(?<=[\xc2-\xf4])|(?<=\s)(?=\S)", text.encode()) if p]
