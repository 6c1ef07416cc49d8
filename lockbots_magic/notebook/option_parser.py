"""The parser of options of the magics: `argparse` for a line of options and text.

Options come first, ``--`` ends them, and the rest of the line is text, taken verbatim: apostrophes, braces, dollar
signs and backslashes have no meaning in it.
"""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
from collections.abc import Callable, Sequence
from typing import Any, Literal, NoReturn

from ..errors import UsageError
from ..language import N_, SOURCE, _, current_language, pgettext
from ..prompt.magic_line import read_word, split_words
from ..providers.parameters import CHAT_PARAMETERS, LOCAL_PARAMETERS

Completer = Literal[
    "address",
    "approval",
    "conversation",
    "file",
    "functions",
    "image",
    "model",
    "parameter",
    "persona",
    "provider",
    "setting",
    "setting_value",
    "source",
    "topic",
    "variable",
]
"""What completes the value of an option: `completion.sources.Sources` has a method for each."""


_DASHES = "-‐‑‒–—―−﹘﹣－"  # word processors and web pages write them for hyphens
_LOOK_ALIKES = str.maketrans("асеорхутмкнвѕіј", "aceopxytmkhbsij")  # Cyrillic, and what it looks like


class HelpRequested(Exception):  # noqa: N818  # not an error: it carries the help text
    """`-h` was given; the message is the help text."""


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help in the current language: its parts are declared in English."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Add the usage line."""
        super().add_usage(usage, actions, groups, _("usage: ") if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        """Start a section, such as that of the options."""
        super().start_section(_(heading) if heading else heading)

    def add_text(self, text: str | None) -> None:
        """Add the description."""
        super().add_text(_(text) if text else text)

    def _get_help_string(self, action: argparse.Action) -> str:
        return _(action.help) if action.help else ""

    def _metavar_formatter(
        self, action: argparse.Action, default_metavar: str
    ) -> Callable[[int], tuple[str, ...]]:  # also where the usage is made
        of_argparse = super()._metavar_formatter(action, default_metavar)
        return lambda count: tuple(map(argument_name, of_argparse(count)))


def argument_name(name: str) -> str:
    """Return the name of an argument, or of the value of an option, in the current language."""
    return pgettext(ARGUMENT, name)  # of each parser: `tests.catalogue` collects them


ARGUMENT = "argument"
"""Context of the names of arguments in the catalogue."""


_HEADINGS = (N_("positional arguments"), N_("options"))
_ERRORS = {
    r"the following arguments are required: (?P<names>.*)": N_("missing: {names}"),
    r"unrecognized arguments: (?P<text>.*)": N_("unrecognized arguments: {text}"),
    r"argument (?P<name>[^:]*): expected one argument": N_("argument {name}: expected one argument"),
    r"argument (?P<name>[^:]*): expected at least one argument": N_("argument {name}: expected at least one argument"),
    r"argument (?P<name>[^:]*): ignored explicit argument (?P<value>.*)": N_(
        "argument {name}: takes no value, got {value}"
    ),
    r"argument (?P<name>[^:]*): invalid (?:float|int) value: (?P<value>.*)": N_(
        "argument {name}: invalid number {value}"
    ),
    r"argument (?P<name>[^:]*): invalid choice: (?P<value>.*) \(choose from (?P<names>.*)\)": N_(
        "argument {name}: invalid choice {value}; choose from {names}"
    ),
    r"argument (?P<name>[^:]*): (?P<text>.*)": N_("argument {name}: {text}"),
}
"""Messages of `argparse`, and what they are in the catalogue; in English they stay as they are."""


def _translate_error(message: str) -> str:
    """Return a message of `argparse` in the current language."""
    if current_language() == SOURCE:
        return message
    found = ((re.fullmatch(pattern, message, re.DOTALL), text) for pattern, text in _ERRORS.items())
    match, text = next(((match, text) for match, text in found if match), (None, message))
    if match is None:
        return message
    values = match.groupdict()
    shown = "name" if "name" in values else "names"  # beside a name, `names` are choices
    if shown in values:
        values[shown] = ", ".join(map(argument_name, values[shown].split(", ")))
    return _(text, **values)


class OptionParser(argparse.ArgumentParser):
    """A parser that raises `UsageError` instead of exiting, and `HelpRequested` for ``-h``.

    Args:
        prog: The magic and its command, as the help shows them.
        description: Summary for the help.
    """

    def __init__(self, prog: str, description: str, **kwargs: Any) -> None:
        super().__init__(
            prog=prog,
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_HelpFormatter,
            **kwargs,
        )
        self.color = False  # Python 3.14 and newer colour the help in a kernel, whose `FORCE_COLOR` is for shells
        self.add_argument("-h", "--help", action="store_true", help=N_("show this help"))

    def add_argument(self, *flags: str, completer: Completer | None = None, **settings: Any) -> argparse.Action:
        """Add an option or argument.

        Args:
            flags: Names of the option, or the name of the argument.
            completer: What completes its value; kept as the attribute `completer` of the action.
            settings: Settings of `argparse`.
        """
        action = super().add_argument(*flags, **settings)
        action.completer = completer  # type: ignore[attr-defined]  # by the convention of shell completion for argparse
        return action

    def set_usage_end(self, text: str) -> None:
        """Put what stands for the text of a line, such as ``[--] PROMPT``, at the end of the usage."""
        heading = _("usage: ")
        usage = self.format_usage().rstrip()
        last = usage.rpartition("\n")[2]
        room = shutil.get_terminal_size().columns - 2  # as argparse has it
        indent = " " * len(f"{heading}{self.prog} ")
        parting = " " if len(f"{last} {text}") <= room else f"\n{indent}"
        self.usage = f"{usage.removeprefix(heading)}{parting}{text}".replace("%", "%%")

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with the message of `argparse`."""
        message = _translate_error(message)
        text = f"{message[:1].upper()}{message[1:]}"
        raise UsageError(_("{text}. See `{command} -h`.", text=text, command=self.prog))

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words of a line.

        Raises:
            UsageError: An option is unknown or its value is invalid.
            HelpRequested: ``-h`` is among the words.
        """
        if "-h" in words or "--help" in words:
            raise HelpRequested(self.format_help().rstrip())
        options, rest = self.parse_known_args(list(words))
        if unknown := next(
            (word for word in rest if (word.startswith("-") and word != "-") or self._is_pasted(word)), None
        ):
            raise self._unknown_option(unknown)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return options

    def _unknown_option(self, word: str, advice: str = "") -> UsageError:
        name = word.partition("=")[0]
        near = self._nearest(name)
        hint = _(" Did you mean {name}?", name=near) if near else ""
        return UsageError(
            _(
                "Unknown option {name:.60}.{hint} See `{command} -h`{advice}.",
                name=name,
                hint=hint,
                command=self.prog,
                advice=advice,
            )
        )

    def _nearest(self, name: str) -> str:
        """Return the option that a mistyped one is like, or the parameter that it names; ``""`` if there is none."""
        flags = self._option_string_actions
        typed = name.translate(_LOOK_ALIKES).lstrip(_DASHES)
        if len(typed) == 1:
            return f"-{typed}" if f"-{typed}" in flags else ""
        parameter = typed.replace("-", "_")
        if "--param" in flags and parameter in (*CHAT_PARAMETERS, *LOCAL_PARAMETERS):
            return f"-p {parameter}=..."
        return next(iter(difflib.get_close_matches(f"--{typed}", [f for f in flags if f.startswith("--")], 1, 0.7)), "")

    def _is_pasted(self, word: str) -> bool:
        """Tell whether a word is an option whose hyphens a word processor made a dash: `—to`."""
        name = word.partition("=")[0].lstrip(_DASHES)
        return word[:1] in _DASHES[1:] and {f"--{name}", f"-{name}"} & {*self._option_string_actions} != set()

    def parse_leading(self, line: str) -> tuple[argparse.Namespace, str]:
        """Parse the options at the beginning of a line.

        Returns:
            The options, and the rest of the line, verbatim.

        Raises:
            UsageError: An option is unknown or its value is invalid.
            HelpRequested: ``-h`` is among the options.
        """
        words: list[str] = []
        end = 0
        while word := read_word(line, end):
            if word.bare == word.text == "--":
                end = word.end
                break
            is_pasted = self._is_pasted(word.bare)
            if not is_pasted and (not word.bare.startswith("-") or word.text == "-"):
                break
            if is_pasted or not self._is_known(word.text):
                raise self._unknown_option(word.text, _(", or put `--` before the text"))
            words.append(word.text)
            end = word.end
            if self._takes_value(word.text) and (value := read_word(line, end)):
                # joined, so that `argparse` takes no value for an option that starts with a dash
                words[-1:] = [f"{word.text}={value.text}"] if value.text else [word.text, ""]
                end = value.end
        return self.parse(words), line[end:].strip()

    def split_text(self, line: str, is_argument: Callable[[str], bool]) -> tuple[list[str], str]:
        """Split a line into options and arguments, and the text behind them, verbatim.

        Args:
            line: The line; ``--`` in it starts the text in any case.
            is_argument: Tells of a word that is no option whether it is an argument; the first that is none starts the
                text.

        Returns:
            The words for `parse`, options first, and the text. The text is empty where arguments are missing.
        """
        options: list[str] = []
        arguments: list[str] = []
        text, end = "", 0
        while word := read_word(line, end):
            if word.bare == word.text == "--":
                text = line[word.end :].strip()
                break
            is_option = word.bare.startswith("-") and word.text != "-"
            if not is_option and not is_argument(word.text):
                text = _unquoted(line[end:].strip())
                break
            (options if is_option else arguments).append(word.text)
            end = word.end
            if is_option and self._takes_value(word.text) and (value := read_word(line, end)):
                options[-1:] = [f"{word.text}={value.text}"] if value.text else [word.text, ""]
                end = value.end
        if not arguments and any(not action.option_strings for action in self._actions):
            return [*options, *split_words(line[end:])], ""
        return [*options, *arguments], text

    def _is_known(self, word: str) -> bool:
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        return name in self._option_string_actions

    def _takes_value(self, word: str) -> bool:
        action = self._option_string_actions.get(word)
        return action is not None and action.nargs is None


def _unquoted(text: str) -> str:
    """Remove the quotes around a text that is quoted as a whole."""
    word = read_word(text)
    return word.text if word and text[0] in "\"'" and not word.bare and word.end == len(text) else text
