"""Finished blocks of a reply, as parsed by `rendering.markdown` -> styled text for a terminal, by means of rich.

Rich lays out and styles; it parses nothing. Long words and lines of code are not broken, so they can be copied from the
terminal in one piece. Formulas stay TeX.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from pygments.token import Token as Kind
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.table import Table
from rich.text import Text

from ...language import _
from ...security.control_characters import printable
from ...security.links import is_web_link, spelled_out
from ..lexers import lexer_of
from .rows import break_offsets

MAX_HIGHLIGHTED = 100_000
"""Length (characters) of code up to which it is coloured."""
MIN_COLUMN = 4
"""Columns of the terminal for each column of a table; where there are fewer, its rows are written as text."""

_CODE = "cyan"
_INLINE = {"strong": "bold", "em": "italic", "s": "strike", "kbd": "reverse", "sub": "", "sup": ""}
_RAISED = {"sub": "_", "sup": "^"}
_ALIGNED = {"text-align:right": "right", "text-align:center": "center"}
_THEME = ANSISyntaxTheme(
    {
        Kind.Comment: Style.parse("dim"),
        Kind.Keyword: Style.parse("magenta"),
        Kind.Operator.Word: Style.parse("magenta"),
        Kind.Literal.String: Style.parse("green"),
        Kind.Literal.Number: Style.parse("cyan"),
        Kind.Name.Builtin: Style.parse("cyan"),
        Kind.Name.Decorator: Style.parse("cyan"),
        Kind.Name.Function: Style.parse("bold"),
        Kind.Name.Class: Style.parse("bold"),
        Kind.Name.Tag: Style.parse("magenta"),
        Kind.Name.Attribute: Style.parse("cyan"),
        Kind.Generic.Heading: Style.parse("bold"),
        Kind.Generic.Inserted: Style.parse("green"),
        Kind.Generic.Deleted: Style.parse("red"),
    }
)
"""The terminal's own colours: they suit dark and light backgrounds."""


class Renderer:
    """Renders blocks for one terminal.

    Args:
        styled: Whether styles are used; without them, fences show where code begins and ends.
        encoding: What the terminal is written to in; without Unicode, rules and bullets are ASCII.
    """

    def __init__(self, *, styled: bool, encoding: str) -> None:
        self._styled = styled
        self._encoding = encoding

    def blocks(self, tokens: Sequence[Token], width: int) -> str:
        """Return the lines of `tokens`, each with its newline; blocks have an empty line between them."""
        ascii_only = not self._encoding.lower().startswith("utf")
        nodes = SyntaxTreeNode(tokens).children
        blocks = _Blocks(fences=not self._styled, ascii_only=ascii_only).group(nodes)
        return self._print(blocks, width) if blocks is not None else ""

    def remark(self, text: str, width: int) -> str:
        """Return a line of the toolkit's own."""
        return self._print(_Paragraph(Text(text, style="dim")), width)

    def _print(self, renderable: RenderableType, width: int) -> str:
        console = Console(
            file=io.StringIO(),
            width=width,
            force_terminal=True,
            force_jupyter=False,
            color_system="standard" if self._styled else None,
            no_color=False,
            legacy_windows=False,
        )
        with console.capture() as captured:
            console.print(renderable, crop=False, end="")
        return captured.get()


class _Blocks:
    """Makes a renderable of each kind of block; a method for each."""

    def __init__(self, *, fences: bool, ascii_only: bool) -> None:
        self._fences = fences
        self._ascii_only = ascii_only

    def group(self, nodes: Iterable[SyntaxTreeNode], *, tight: bool = False) -> RenderableType | None:
        """Return blocks below each other, with an empty line between them unless they are `tight`."""
        made = [block for node in nodes if (block := getattr(self, node.type)(node)) is not None]
        if not made:
            return None
        gap = [] if tight else [Text()]
        return Group(*made[:1], *(part for block in made[1:] for part in (*gap, block)))

    def paragraph(self, node: SyntaxTreeNode) -> RenderableType:
        return _Paragraph(_inline_of(node))

    def heading(self, node: SyntaxTreeNode) -> RenderableType:
        text = _inline_of(node)
        text.stylize("bold underline" if node.tag == "h1" else "bold")
        return _Paragraph(text)

    def blockquote(self, node: SyntaxTreeNode) -> RenderableType | None:
        mark = Text("> " if self._ascii_only else "▌ ", style="dim")
        inner = self.group(node.children)
        return None if inner is None else _Prefixed(mark, mark, inner)

    def details(self, node: SyntaxTreeNode) -> RenderableType | None:
        return self.group(node.children)

    def summary(self, node: SyntaxTreeNode) -> RenderableType:
        text = _inline_of(node)
        text.stylize("bold")
        return _Paragraph(text)

    def hr(self, _: SyntaxTreeNode) -> RenderableType:
        return _Rule("-" if self._ascii_only else "─")

    def fence(self, node: SyntaxTreeNode) -> RenderableType | None:
        code = printable(node.content).removesuffix("\n")
        language = (unescapeAll(node.info).split() or [""])[0]
        lexer = lexer_of(language) if len(code) <= MAX_HIGHLIGHTED else None
        if lexer is None:
            text = Text(code, style=_CODE)
        else:
            text = Syntax("", lexer, theme=_THEME).highlight(code)
            text = text[: len(code)]  # the lexer may have added a newline
        text.no_wrap, text.overflow = True, "ignore"
        if not self._fences:
            return text
        return Group(Text(f"```{printable(language)}"), text, Text("```"))

    code_block = fence

    def formula(self, node: SyntaxTreeNode) -> RenderableType:
        return Text(printable(node.content), no_wrap=True, overflow="ignore")

    def table(self, node: SyntaxTreeNode) -> RenderableType:
        head, *rows = [row.children for part in node.children for row in part.children]
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold", safe_box=True)
        for cell in head:
            justify = _ALIGNED.get(str(cell.attrs.get("style")), "left")
            table.add_column(_inline_of(cell), overflow="fold", justify=justify)  # type: ignore[arg-type]  # a literal
        for row in rows:
            table.add_row(*map(_inline_of, row))
        lines = [Text(" | ").join(map(_inline_of, row)) for row in (head, *rows)]
        return _IfWide(MIN_COLUMN * len(head), table, Group(*map(_Paragraph, lines)))

    def bullet_list(self, node: SyntaxTreeNode) -> RenderableType:
        return self._list(node, ["- " if self._ascii_only else "• "] * len(node.children))

    def ordered_list(self, node: SyntaxTreeNode) -> RenderableType:
        first = int(node.attrs.get("start", 1))
        return self._list(node, [f"{first + index}. " for index in range(len(node.children))])

    def footnote_reference(self, node: SyntaxTreeNode) -> RenderableType:
        return self._item(f"[{printable(node.meta['label'])}] ", node, tight=False)

    def _list(self, node: SyntaxTreeNode, marks: Sequence[str]) -> RenderableType:
        tight = any(child.hidden for item in node.children for child in item.children)
        items = [self._item(mark, item, tight) for mark, item in zip(marks, node.children, strict=True)]
        gap = [] if tight else [Text()]
        return Group(*items[:1], *(part for item in items[1:] for part in (*gap, item)))

    def _item(self, mark: str, node: SyntaxTreeNode, tight: bool) -> RenderableType:
        return _Prefixed(Text(mark), Text(" " * len(mark)), self.group(node.children, tight=tight) or Text())


class _Paragraph:
    """Text in rows that break between words."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._text.split("\n", allow_blank=True):
            for row in line.divide(break_offsets(line.plain, options.max_width, fold=False)):
                row.rstrip()
                row.no_wrap, row.overflow = True, "ignore"
                yield row


class _Prefixed:
    """A block with a mark in front of its first row, and room for it in front of the others."""

    def __init__(self, first: Text, others: Text, inner: RenderableType) -> None:
        self._first = first
        self._others = others
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(options.max_width - cell_len(self._first.plain), 1)
        mark = self._first
        for line in Segment.split_lines(console.render(self._inner, options.update(width=width))):
            yield from (segment for segment in console.render(mark, options) if segment.text != "\n")
            yield from line
            yield Segment.line()
            mark = self._others


class _Rule:
    """A line across the terminal."""

    def __init__(self, char: str) -> None:
        self._char = char

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self._char * options.max_width, style="dim", no_wrap=True)


class _IfWide:
    """One of two forms, as there is room: rich leaves columns out that do not fit."""

    def __init__(self, min_width: int, wide: RenderableType, narrow: RenderableType) -> None:
        self._min_width = min_width
        self._wide = wide
        self._narrow = narrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._wide if options.max_width >= self._min_width else self._narrow


def _inline_of(node: SyntaxTreeNode) -> Text:
    text = Text(overflow="fold")
    for child in node.children:
        for content, style in _inline(child.token.children or [] if child.token else []):
            text.append(printable(content), style)  # an entity may stand for a character that steers
    return text


def _inline(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield the texts of inline tokens, each with its style."""
    styles: list[str] = []
    links: list[tuple[str, str]] = []  # address, and what was shown of it
    for token in tokens:
        style = " ".join(styles)
        name = token.type.rpartition("_")[0]
        if token.type == "link_open":
            styles.append("underline")
            links.append((str(token.attrGet("href") or ""), ""))
        elif token.type == "link_close":
            styles.pop()
            address, label = links.pop()
            shown = spelled_out(address)
            if is_web_link(address) and label not in (address, shown, address.removeprefix("mailto:")):
                yield f" ({shown})", " ".join([*styles, "dim"])
        elif name in _INLINE and token.nesting > 0:
            yield _RAISED.get(name, ""), style
            styles.append(_INLINE[name])
        elif name in _INLINE:
            styles.pop()
        else:
            content = _content_of(token)
            links[:] = [(address, label + content) for address, label in links]
            yield content, f"{style} {_CODE}".strip() if token.type == "code_inline" else style


def _content_of(token: Token) -> str:
    if token.type == "hardbreak":
        return "\n"
    if token.type == "footnote_ref":
        return f"[{token.meta['label']}]"
    if token.type == "image":
        source = str(token.attrGet("src") or "")
        label = token.content or _("image")
        if is_web_link(source):
            return _("{label} (image at {host})", label=label, host=spelled_out(source))
        return _("{label} (image)", label=label)
    return token.content
