"""Pages that are made from the code: `python -m docs.generate` writes them, a test checks that they are current.

The page on Markdown and values is made from examples of the tests, by `tests/supported_page.py`.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lockbots_magic import errors, providers
from lockbots_magic.language import SOURCE, speaking
from lockbots_magic.notebook.commands import COMMANDS
from lockbots_magic.notebook.option_parser import OptionParser
from lockbots_magic.notebook.options import chat_options
from lockbots_magic.notebook.settings import Lockbots
from lockbots_magic.prompt import loaders
from lockbots_magic.providers.dialects import DIALECTS, find_dialect

HERE = Path(__file__).parent
REFERENCE = HERE / "reference"
NOTE = "This page is generated from the code: change that, and run `make docs`."
VARIABLES = {
    "LOCKBOTS_MODEL": "Model of new kernels: the default of the setting `model`.",
    "LOCKBOTS_LIVE": "Default of the setting `live`; `1` and `0` mean `on` and `off`.",
    "LOCKBOTS_CASSETTE": "Cassette file that every kernel and every `Chat` uses.",
    "LOCKBOTS_CASSETTE_MODE": "How it is used: `replay`, `record` or `auto`.",
    "LOCKBOTS_<PROVIDER>_AUTH": "Credential of a provider, such as `LOCKBOTS_OPENAI_AUTH`; before the service's own.",
}


def pages() -> dict[Path, str]:
    """Return every generated page: its file and its text."""
    with speaking(SOURCE):
        made = {
            "commands": commands_page(),
            "options": options_page(),
            "settings": settings_page(),
            "errors": errors_page(),
            "providers": providers_page(),
            "wire": wire_page(),
        }
    generated = {REFERENCE / f"{name}.md": text for name, text in made.items()}
    generated[HERE / "benchmarks.md"] = benchmarks_page()
    return generated


def commands_page() -> str:
    """Return the page of the commands of `%lockbots`."""
    groups: dict[str, list[str]] = {}
    for name, command in COMMANDS.items():
        groups.setdefault(command.group, []).append(name)
    parts = [
        "# Commands",
        f"`%lockbots COMMAND` manages what `%%chat` uses. `%lockbots COMMAND -h` shows the same. {NOTE}",
    ]
    for group, names in groups.items():
        parts.append(f"## {group}")
        for name in names:
            command = COMMANDS[name]
            text = f" {command.usage_end}" if command.text else ""
            parts += [f"### {name}", *describe(command.options(name), text)]
    return page(parts)


def options_page() -> str:
    """Return the page of the options of `%%chat`, and of what `--file` loads."""
    parts = ["# Options of %%chat", f"They stand on the first line. {NOTE}", *describe(chat_options(), " PROMPT")]
    rows = [
        (f"`{name}:`", loaders.describe_loader(name)) for name in loaders._BUILT_IN
    ]  # without plug-ins of this machine
    parts += ["## What --file loads", "Besides files by their path:", table(("Loader", "Loads"), rows)]
    return page(parts)


def settings_page() -> str:
    """Return the page of settings and environment variables."""
    with without_variables("LOCKBOTS_"):
        rows = [(f"`{name}`", show(value), text) for name, value, text in Lockbots().rows()]
    return page(
        [
            "# Settings",
            "`%lockbots set NAME VALUE` changes a setting for this kernel, `%config Lockbots.NAME = VALUE` does the "
            f"same, and `c.Lockbots.NAME = VALUE` in `ipython_config.py` sets it for every kernel. {NOTE}",
            table(("Setting", "Default", "Meaning"), rows),
            "## Environment variables",
            table(("Variable", "Meaning"), [(f"`{name}`", text) for name, text in VARIABLES.items()]),
            "The variables of each service are on the page of [providers](providers.md).",
        ]
    )


def errors_page() -> str:
    """Return the page of errors and warnings."""
    tree = (errors.__doc__ or "").partition("::\n\n")[2].partition("\n\nIn a notebook")[0]
    parts = [
        "# Errors",
        "In a notebook each error is one short message, without a traceback, and names what to do. In Python they are "
        f"classes of `lockbots_magic.errors`. Wherever text had arrived before the failure, it is kept. {NOTE}",
        f"```text\n{inspect.cleandoc(tree)}\n```",
    ]
    for name, cls in vars(errors).items():
        if inspect.isclass(cls) and issubclass(cls, BaseException) and cls.__module__ == errors.__name__:
            if name.startswith("Requests"):
                continue
            lines = (inspect.getdoc(cls) or "").split("\n\n")
            fields = [line for part in lines[1:] if part.startswith("Args:") for line in argument_rows(part)]
            parts += [f"## {name}", lines[0].replace("\n", " ")]
            parts += [table(("Attribute", "Meaning"), fields)] if fields else []
    return page(parts)


def benchmarks_page() -> str:
    """Return the page of the benchmarks."""
    scripts = HERE.parent / "benchmarks"
    measuring = [*sorted(scripts.glob("rows/[a-z]*.py")), *sorted(scripts.glob("bench_*.py"))]
    figures = HERE / "benchmarks" / "figures.txt"
    return page(
        [
            "# Benchmarks",
            "Figures depend on the machine, so they are printed, not promised: `make bench` runs all of these. Each "
            f"compares with something that does less, such as reading the bare bytes. {NOTE}",
            "The topics are rows of one table, with limits and aims; `make bench TOPICS=saved` measures one alone. "
            "`make bench-quick` compares two commits by the rows that other work hardly changes.",
            "chatlas, llm and jupyter_ai_magics stand beside the rows that they can do. The last is installed in an "
            "environment of its own, since a package that it brings, langsmith, adds a plugin to pytest.",
            table(
                ("Topic or script", "Measures"),
                map(_about, measuring),
            ),
            *([figures.read_text(encoding="utf-8").strip()] if figures.exists() else []),
        ]
    )


def _about(script: Path) -> tuple[str, str]:
    """Return the name of a script and the first line of its docstring."""
    text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return f"`{script.stem}`", text.partition("\n")[0]


def llms_page() -> str:
    """Return the list of pages for language models, see llmstxt.org: titles, and what each page is about."""
    groups = {
        "Start": ["tutorial.md", *sorted(f"how-to/{one.name}" for one in HERE.glob("how-to/*.md"))],
        "Reference": sorted(f"reference/{one.name}" for one in HERE.glob("reference/*.md")),
        "Explanation": sorted(f"explanation/{one.name}" for one in HERE.glob("explanation/*.md")),
    }
    parts = [
        "# lockbots-magic",
        "> Language models in Jupyter and IPython: `%%chat` sends a prompt from a cell, streams the reply into its "
        "output and keeps the conversation; `Chat` does the same in Python.",
        "The whole help in one file: [English](_sources/lockbots_magic/help/en.md), "
        "[Russian](_sources/lockbots_magic/help/ru.md).",
    ]
    for group, names in groups.items():
        lines = []
        for name in names:
            if not name.endswith("index.md"):
                title, summary = title_and_summary((HERE / name).read_text(encoding="utf-8"))
                lines.append(f"- [{title}](_sources/docs/{name}): {summary}")
        parts += [f"## {group}", "\n".join(lines)]
    return page(parts)


def title_and_summary(text: str) -> tuple[str, str]:
    """Return the title of a page and its first sentence."""
    title, _, rest = text.lstrip("# ").partition("\n")
    first = next((part for part in rest.strip().split("\n\n") if not part.startswith(("```", "#", "|"))), "")
    return title, re.split(r"(?<=\.)\s", " ".join(first.split()), maxsplit=1)[0]


def argument_rows(section: str) -> Iterator[tuple[str, str]]:
    """Yield the arguments that become attributes, from the section `Args` of a docstring."""
    for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
        if name != "message":
            yield f"`{name}`", " ".join(text.replace("``", "`").split())


def providers_page() -> str:
    """Return the page of the built-in providers and their variables."""
    rows = []
    for name in providers._BUILT_IN:
        cls: Any = providers.provider_class(name)
        credentials = [one for one in cls.credential_variables() if not one.startswith("LOCKBOTS_")]
        rows.append(
            (
                f"`{name}`",
                f"`{cls.url}`" if cls.url else "",
                code_list(credentials),
                code_list(getattr(cls, "base_url_env", ())),
                f"`{cls.default_model}`" if cls.default_model else "",
                str(getattr(cls, "native_dialect", "") or ""),
            )
        )
    heads = ("Provider", "Base URL", "Credential", "Base URL from", "Default model", "Dialect")
    return page(
        [
            "# Providers",
            "A model is written `provider:model`. Without a model's name, the default model is used, or the only one "
            f"that a server lists. Plug-ins add providers, and a Python function is one. {NOTE}",
            table(heads, rows),
            "Any other server with one of the [dialects](wire.md) is reached by `--base-url`.",
        ]
    )


def wire_page() -> str:
    """Return the page of the dialects."""
    dialects = {name: find_dialect(name) for name in DIALECTS}
    every = sorted({parameter for one in dialects.values() for parameter in one.parameters})
    rows = [(f"`{name}`", *(cell(one, name) for one in dialects.values())) for name in every]
    facts = [
        ("Request", *(f"`POST {{base}}{one.path}`" for one in dialects.values())),
        ("Headers", *(code_list(f"{k}: {v}" for k, v in one.headers.items()) for one in dialects.values())),
        ("Tokens counted by", *(f"`{one.count_path}`" if one.count_path else "" for one in dialects.values())),
        ("Left out if refused", *(", ".join(a.name for a in one.adaptations) for one in dialects.values())),
    ]
    heads = ("", *(f"`{name}`" for name in dialects))
    return page(
        [
            "# Dialects and parameters",
            "What is sent, in each of the request formats that services share. `--dialect NAME` chooses one. What "
            "the toolkit adds of itself and a server refuses is left out in one more try; what you asked for never is. "
            f"[Providers](providers.md) tells who speaks what. {NOTE}",
            table(heads, facts),
            "## Parameters",
            "`-p NAME=VALUE` in a cell, keyword arguments in Python. A name in brackets is that of the field in the "
            "request. A parameter that a dialect lacks is refused before anything is sent.",
            table(heads, rows),
        ]
    )


def cell(dialect: Any, parameter: str) -> str:
    """Return what a dialect says of a parameter."""
    if parameter not in dialect.parameters:
        return dialect.lacks.get(parameter, "") or "no"
    field = f" (`{dialect.fields[parameter]}`)" if parameter in dialect.fields else ""
    return f"{dialect.parameters[parameter]}{field}"


def describe(parser: OptionParser, text: str = "") -> list[str]:
    """Return usage, help and arguments of a parser, the same on every Python."""
    actions = [action for action in parser._actions if action.dest != "help"]
    usage = " ".join([parser.prog, *map(usage_of, actions)])
    rows = [(name_of(action), fill(action)) for action in actions]
    described = (parser.description or "").replace("::\n", ":\n")
    return [
        described,
        f"```text\n{usage}{text}\n```",
        *([table(("Argument", "Meaning"), rows)] if rows else []),
    ]


def usage_of(action: argparse.Action) -> str:
    """Return an argument as the usage shows it."""
    value = value_of(action)
    if not action.option_strings:
        return {"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} [{value} ...]"}.get(str(action.nargs), value)
    return f"[{action.option_strings[0]}{f' {value}' if value else ''}]"


def name_of(action: argparse.Action) -> str:
    """Return the names of an argument with its value."""
    value = value_of(action)
    if not action.option_strings:
        return f"`{value}`"
    return ", ".join(f"`{flag}{f' {value}' if value else ''}`" for flag in action.option_strings)


def value_of(action: argparse.Action) -> str:
    """Return the placeholder of an argument's value; empty for a switch."""
    if action.nargs == 0:
        return ""
    if action.choices and not action.metavar:
        return "{" + ",".join(map(str, action.choices)) + "}"
    placeholder = str(action.metavar or action.dest)
    return placeholder.upper() if action.option_strings and not action.metavar else placeholder


def fill(action: argparse.Action) -> str:
    """Return the help of an argument."""
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def show(value: Any) -> str:
    """Return a default as people type it."""
    if value is None or value in ("", {}):
        return "none" if value is None else ""
    return {True: "`on`", False: "`off`"}.get(value, f"`{value}`") if isinstance(value, bool) else f"`{value}`"


def code_list(names: Iterable[str]) -> str:
    """Return names as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(escape(one) for one in line)} |" for line in lines)


def escape(text: str) -> str:
    """Return text for a cell: a bar would end it, braces and angle brackets in prose are text."""
    spans = re.split(r"(`+[^`]*`+)", " ".join(text.split()))
    return "".join(one if at % 2 else re.sub(r"([<>*_])", r"\\\1", one) for at, one in enumerate(spans)).replace(
        "|", r"\|"
    )


def page(parts: Iterable[str]) -> str:
    """Return a page of paragraphs."""
    return "\n\n".join(parts) + "\n"


class without_variables:  # noqa: N801  # reads as what it does
    """Context without the environment variables that begin with `prefix`."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __enter__(self) -> None:
        self.kept: Mapping[str, str] = {k: v for k, v in os.environ.items() if k.startswith(self.prefix)}
        for name in self.kept:
            del os.environ[name]

    def __exit__(self, *_: object) -> None:
        os.environ.update(self.kept)


def main() -> int:
    """Write the pages that have changed."""
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
