"""The catalogue of texts: extract them from the code into each `locale/CODE.po`, and compile it.

    python -m tests.catalogue         # make catalogue
    python -m tests.catalogue de      # start another language

New texts are added without a translation, and those that are gone are removed; then whatever is wrong is listed.
"""

import io
import re
import string
import sys
from datetime import datetime, timezone
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from lockbots_magic.language import FOLDER

PACKAGE = FOLDER.parent
KEYWORDS = {
    "_": None,
    "N_": None,
    "ngettext": (1, 2),
    "N_forms": (1, 2),
    "pgettext": ((1, "c"), 2),
}
SEPARATORS = (("decimal separator", "."), ("thousands separator", ","))
WIDTH = 110


def declared():
    """Return texts that are no argument of `_`: what they are, and the text."""
    from lockbots_magic.conversation.turn import Status
    from lockbots_magic.notebook.commands import COMMANDS
    from lockbots_magic.notebook.option_parser import ARGUMENT
    from lockbots_magic.notebook.options import chat_options
    from lockbots_magic.notebook.settings import Lockbots
    from lockbots_magic.prompt import loaders

    parsers = [
        ("%%chat", chat_options()),
        *((f"%lockbots {name}", one.options(name)) for name, one in COMMANDS.items()),
    ]
    for name, parser in parsers:
        yield name, parser.description
        yield from ((name, action.help) for action in parser._actions)
        words = [argument_word(action) for action in parser._actions]
        yield from ((name, word, ARGUMENT) for word in words if re.search("[A-Za-z]{2}", word))
    yield from ((f"%lockbots {name}", one.text, ARGUMENT) for name, one in COMMANDS.items() if one.text)
    yield from (("%lockbots", one.summary) for one in COMMANDS.values())
    yield from (("--file", loaders.describe_loader(name)) for name in loaders._BUILT_IN)
    yield from (("status of a turn", status) for status in get_args(Status))
    yield from ((f"setting {name}", help_text) for name, _, help_text in Lockbots().rows())


def extract():
    """Return the catalogue of all texts, without translations."""
    found = Catalog(project="lockbots-magic", charset="utf-8")
    for name, _line, message, _comments, context in sorted(
        extract_from_dir(PACKAGE, [("**.py", "python")], keywords=KEYWORDS), key=lambda one: one[:2]
    ):
        if not name.startswith("testing/"):
            add(found, message, name, context)
    for what, text, *context in declared():
        add(found, text, what, *context)
    for context, text in SEPARATORS:
        add(found, text, "language.py", context)
    return found


def argument_word(action):
    """Return by what name an argument, or the value of an option, is shown; empty if there is none."""
    return "" if action.nargs == 0 or action.choices else action.metavar or action.dest


def add(catalog, message, name, context=None):
    entry = catalog.add(message, locations=[(name, None)], context=context)
    entry.flags.discard("python-format")  # %lockbots


def update(path, texts):
    """Bring the file of a language up to date with the texts of the code, and return it."""
    old = read(path) if path.exists() else Catalog(locale=path.stem)
    new = Catalog(locale=path.stem, project="lockbots-magic", charset="utf-8", header_comment=f"# {path.stem}")
    for message in texts:
        if message.id:
            known = old.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
            same = known is not None and isinstance(known.id, str) == isinstance(message.id, str)
            entry = new.add(message.id, known.string if same else None, message.locations, context=message.context)
            entry.flags.discard("python-format")
    return new


def read(path):
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def as_po(catalog):
    stream = io.BytesIO()
    write_po(stream, catalog, width=WIDTH, omit_header=True, sort_by_file=True, include_lineno=False)
    header = f'msgid ""\nmsgstr ""\n"Language: {catalog.locale_identifier}\\n"\n'
    header += f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    return header.encode() + stream.getvalue()


def as_mo(catalog):
    stream = io.BytesIO()
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=timezone.utc)  # texts alone count
    write_mo(stream, catalog)
    return stream.getvalue()


def fields(text):
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}
    except ValueError:  # braces of another kind
        return set()


def problems(catalog):
    """Yield what is wrong with the translations of a language."""
    for message in catalog:
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        translations = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(translations):
            yield f"not translated: {sources[0]!r}"
        elif message.fuzzy:
            yield f"fuzzy: {sources[0]!r}"
        else:
            may_lack = {"n"} if len(sources) > 1 else set()
            for text in translations:
                if (fields(text) ^ fields(sources[-1])) - may_lack:
                    yield f"other placeholders: {text!r} for {sources[-1]!r}"


def main(codes):
    texts = extract()
    wrong = []
    for path in sorted({*FOLDER.glob("*.po"), *(FOLDER / f"{code}.po" for code in codes)}):
        catalog = update(path, texts)
        path.write_bytes(as_po(catalog))
        path.with_suffix(".mo").write_bytes(as_mo(read(path)))
        wrong += [f"{path.name}: {problem}" for problem in problems(catalog)]
    print(*wrong, f"{len(wrong)} problems" if wrong else "The catalogue is complete.", sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
