"""Replies of the mock model: a pure function of the messages."""

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


class MockToolCall(NamedTuple):
    """A tool call in a reply."""

    id: str
    name: str
    arguments: str
    """Arguments, as written in the prompt; usually JSON."""


def reply_to(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the reply to the last of `messages`.

    ``say X`` gets the reply ``X``, ``count to N`` the numbers, ``show code`` Markdown with code, tool results their
    text, and anything else a sentence that repeats it.
    """
    said = [m for m in messages if m.get("role") != "system"]
    if said and said[-1].get("role") == "tool":
        return _describe_results(said)
    prompt, images = get_text(said[-1]) if said else ("", 0)
    documents = read_documents(said[-1]) if said else []
    if prompt.startswith("say "):
        return prompt.removeprefix("say ")
    if counted := re.fullmatch(r"count to (\d{1,9})", prompt.strip()):
        return " ".join(str(n) for n in range(1, min(int(counted[1]), MAX_COUNT) + 1))
    if prompt.strip() == "show code":
        return _CODE
    if re.search("[а-яё]", prompt, re.IGNORECASE):
        seen = f" Изображений: {images}." if images else ""
        seen += f" Документы: {', '.join(documents)}." if documents else ""
        return f"Вы сказали: «{prompt}». Сообщений до этого: {len(said) - 1}.{seen}"
    seen = f" I see {images} image{'' if images == 1 else 's'}." if images else ""
    seen += f" I read {', '.join(documents)}." if documents else ""
    return f'You said: "{prompt}". I have heard {len(said)} message{"" if len(said) == 1 else "s"}.{seen}'


def parse_calls(messages: Sequence[Mapping[str, Any]]) -> list[MockToolCall]:
    """Return the tool calls of the reply: ``call NAME {"x": 1}`` requests one, more follow after `` and ``."""
    prompt = get_text(messages[-1])[0] if messages and messages[-1].get("role") == "user" else ""
    if not prompt.startswith("call "):
        return []
    asked = prompt.removeprefix("call ").partition("\n\n")[0]  # below it stands what the reply must be
    written = re.split(r" and (?=\w+ \{)", asked.strip())
    parts = (one.partition(" ") for one in written)
    return [
        MockToolCall(f"call_{len(messages)}_{n}", name, arguments) for n, (name, _, arguments) in enumerate(parts, 1)
    ]


def get_text(message: Mapping[str, Any]) -> tuple[str, int]:
    """Return the text of a message, and the number of its images."""
    content = message.get("content") or ""
    if not isinstance(content, list):
        return str(content), 0
    texts = [str(part.get("text", "")) for part in content if part.get("type") == "text"]
    return "\n".join(texts), sum(part.get("type") == "image_url" for part in content)


def read_documents(message: Mapping[str, Any]) -> list[str]:
    """Return the names of the documents in a message, each with the size of its file."""
    content = message.get("content")
    files = [part.get("file") for part in content if part.get("type") == "file"] if isinstance(content, list) else []
    return [f"{one.get('filename')} ({len(one.get('file_data') or '')} characters)" for one in files]


def complain_of_documents(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return why the documents of a request are refused, in words like those of the services; empty if they are not."""
    contents = [content for one in messages if isinstance(content := one.get("content"), list)]
    files = [part.get("file") or {} for content in contents for part in content if part.get("type") == "file"]
    for one in files:
        if not one.get("filename"):
            return "Missing required parameter: 'file.filename'."
        if not re.match("data:[a-z]+/[a-z.-]+;base64,[A-Za-z0-9+/]+=*$", str(one.get("file_data"))):
            return f"Invalid value: 'file_data' of {one['filename']} must be a data URL with base64."
    return ""


def _describe_results(said: Sequence[Mapping[str, Any]]) -> str:
    """Describe the results of the last tool calls."""
    calls = [call for message in said for call in message.get("tool_calls") or ()]
    names = {call["id"]: call["function"]["name"] for call in calls}
    last = itertools.takewhile(lambda message: message.get("role") == "tool", reversed(said))
    results = [f"{names.get(m.get('tool_call_id'), 'unknown')} returned {get_text(m)[0]}." for m in last]
    return " ".join(reversed(results))


def make_markdown(count: int) -> str:
    """Return Markdown of `count` words."""
    sections = (_PASSAGE.format(n=n) for n in itertools.count(1))
    words = (word for section in sections for word in split_words(section))
    return "".join(itertools.islice(words, count))


def split_words(text: str) -> list[str]:
    """Split `text` into words, each with the white space after it."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def split_bytes(text: str) -> list[bytes]:
    """Split the UTF-8 form of `text` after each word, and inside every multi-byte character."""
    return [p for p in re.split(rb"(?<=[\xc2-\xf4])|(?<=\s)(?=\S)", text.encode()) if p]
