"""What the mock server answers: a function of the messages, the same on every machine and every day."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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


class Call(NamedTuple):
    """A function to be called."""

    id: str
    name: str
    arguments: str
    """As JSON, if the prompt wrote JSON."""


def reply_to(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the reply to the last of `messages`.

    ``say X`` is answered with ``X``, ``count to N`` with the numbers, ``show code`` with Markdown that holds
    code, the results of calls with what they are, anything else with what was heard.
    """
    said = [m for m in messages if m.get("role") != "system"]
    if said and said[-1].get("role") == "tool":
        return _results(said)
    prompt, images = text_of(said[-1]) if said else ("", 0)
    if prompt.startswith("say "):
        return prompt.removeprefix("say ")
    if counted := re.fullmatch(r"count to (\d{1,9})", prompt.strip()):
        return " ".join(str(n) for n in range(1, min(int(counted[1]), MAX_COUNT) + 1))
    if prompt.strip() == "show code":
        return _CODE
    if re.search("[а-яё]", prompt, re.IGNORECASE):
        seen = f" Изображений: {images}." if images else ""
        return f"Вы сказали: «{prompt}». Сообщений до этого: {len(said) - 1}.{seen}"
    seen = f" I see {images} image{'' if images == 1 else 's'}." if images else ""
    return f'You said: "{prompt}". I have heard {len(said)} message{"" if len(said) == 1 else "s"}.{seen}'


def calls_for(messages: Sequence[Mapping[str, Any]]) -> list[Call]:
    """Return the calls to answer with: ``call NAME {"x": 1}`` asks for one, and more follow after `` and ``."""
    prompt = text_of(messages[-1])[0] if messages and messages[-1].get("role") == "user" else ""
    if not prompt.startswith("call "):
        return []
    wanted = re.split(r" and (?=\w+ \{)", prompt.removeprefix("call ").strip())
    parts = (one.partition(" ") for one in wanted)
    return [Call(f"call_{len(messages)}_{n}", name, arguments) for n, (name, _, arguments) in enumerate(parts, 1)]


def text_of(message: Mapping[str, Any]) -> tuple[str, int]:
    """Return the text of a message and how many images go with it."""
    content = message.get("content") or ""
    if not isinstance(content, list):
        return str(content), 0
    texts = [str(part.get("text", "")) for part in content if part.get("type") == "text"]
    return "\n".join(texts), sum(part.get("type") == "image_url" for part in content)


def _results(said: Sequence[Mapping[str, Any]]) -> str:
    """What the functions returned that were called last."""
    calls = [call for message in said for call in message.get("tool_calls") or ()]
    names = {call["id"]: call["function"]["name"] for call in calls}
    last = itertools.takewhile(lambda message: message.get("role") == "tool", reversed(said))
    told = [f"{names.get(m.get('tool_call_id'), 'nobody')} returned {text_of(m)[0]}." for m in last]
    return " ".join(reversed(told))


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
