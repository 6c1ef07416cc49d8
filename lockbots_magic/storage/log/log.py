"""Log: the turns of all notebooks, to be searched and taken up again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ...conversation.conversation import Conversation
from ...errors import UsageError
from ...language import _
from .database import default_path, open_database, reading, told_errors
from .forgetting import ForgetResult, delete_turns
from .reading import (
    LoggedConversation,
    LogHit,
    Moment,
    SearchFilter,
    find_turn_ids,
    parse_moment,
    read_logged,
    search_turns,
)
from .stats import LogStats, read_stats
from .writer import flush_writer


class Log:
    """The log of turns: one SQLite file, which other programs can read, too.

    Turns are logged by `%lockbots log on` or the setting `Lockbots.log`; this class reads what was logged, in any
    process.

    Args:
        path: The file; by default the one in the user's data folder.

    Example:
        >>> for hit in Log().search("confusion matrix"):  # doctest: +SKIP
        ...     print(hit.turn.model, hit.snippet)
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = default_path() if path is None else Path(path).expanduser()
        """The file. It exists once a turn was logged."""

    def __repr__(self) -> str:
        return f"Log({str(self.path)!r})"

    def search(
        self,
        words: str,
        model: str | None = None,
        limit: int = 10,
        *,
        notebook: str | Path | None = None,
        since: Moment | None = None,
        code: bool = False,
        unfinished: bool = False,
    ) -> list[LogHit]:
        """Return the turns whose prompt, reply or notebook name holds all words, the best match first.

        Other forms of English and Russian words are found, too. Text between double quotes must be found as it is;
        other signs have no meaning.

        Args:
            words: What to look for.
            model: ``provider:model``, a provider or a model; ``*`` stands for any characters.
            limit: Maximum number of turns.
            notebook: Only turns of this notebook.
            since: Only turns from this time on: Unix time (s), a date, or text such as ``"2026-11-01"``.
            code: True to look into the code blocks of replies alone.
            unfinished: True if the last word may be the beginning of one.

        Raises:
            UsageError: The log can't be read, or `since` is no date.
        """
        chosen = SearchFilter(model, None if notebook is None else Path(notebook), since, code)
        with self._reading() as database:
            return search_turns(database, words, chosen, limit, unfinished=unfinished) if database else []

    def open(self, id: str) -> Conversation:  # noqa: A002  # the field's name
        """Return a logged conversation, to be continued: a copy with an id of its own.

        Args:
            id: Id of a conversation, or of a turn: the conversation up to that turn. The first six characters or more
                are enough.

        Raises:
            UsageError: There is none, or the log can't be read.
        """
        return self.read(id).take_up()

    def read(self, id: str) -> LoggedConversation:  # noqa: A002  # the field's name
        """Return what the log has of a conversation, see `open`."""
        with self._reading() as database:
            if database is None:
                raise UsageError(
                    _("The log has no turn {id!r:.60}: nothing was logged yet. To log: `%lockbots log on`.", id=id)
                )
            return read_logged(database, id)

    def forget(self, id: str) -> int:  # noqa: A002  # the field's name
        """Delete a turn, or all turns of a conversation, and return the number of turns deleted.

        Their bytes are overwritten, in the database and beside it.

        Args:
            id: Id of a turn or a conversation, as for `open`.

        Raises:
            UsageError: Several ids begin so, or the log can't be written.
        """
        return self.forget_turns(id).turns

    def forget_turns(
        self,
        id: str = "",  # noqa: A002  # the field's name
        *,
        before: Moment | None = None,
        notebook: str | Path | None = None,
        everything: bool = False,
    ) -> ForgetResult:
        """Delete turns: of one id, before a time, of a notebook, or all; see `forget`.

        Args:
            id: Id of a turn or a conversation.
            before: Delete the turns before this time.
            notebook: Delete the turns of this notebook.
            everything: True to delete all.

        Returns:
            The number of turns, and whether their bytes are gone already.
        """
        moment = None if before is None else parse_moment(before)
        flush_writer(self.path)
        if not self.path.exists():
            return ForgetResult(0)
        with told_errors(self.path), closing(open_database(self.path)) as database:
            database.row_factory = sqlite3.Row
            if id:
                conversation, turns = find_turn_ids(database, id)
                if conversation:
                    return delete_turns(database, self.path, "conversation_id = ?", [conversation])
                return delete_turns(database, self.path, "id = ?", turns) if turns else ForgetResult(0)
            if moment is not None:
                return delete_turns(database, self.path, "started < ?", [moment])
            if notebook is not None:
                path = Path(notebook)
                return delete_turns(database, self.path, "notebook = ? AND folder = ?", [path.name, str(path.parent)])
            return delete_turns(database, self.path, "1", []) if everything else ForgetResult(0)

    def stats(self) -> list[LogStats]:
        """Return turns, tokens and cost for each month and model, the oldest month first.

        Raises:
            UsageError: The log can't be read.

        Example:
            >>> import pandas  # doctest: +SKIP
            >>> pandas.DataFrame(Log().stats())  # doctest: +SKIP
        """
        with self._reading() as database:
            return read_stats(database) if database else []

    def count(self) -> int:
        """Return the number of turns.

        Raises:
            UsageError: The log can't be read.
        """
        with self._reading() as database:
            return int(database.execute("SELECT COUNT(*) FROM turn").fetchone()[0]) if database else 0

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open the log to read, with the turns of this process in it; None if there is no file."""
        flush_writer(self.path)
        with reading(self.path) as database:
            if database is not None:
                database.row_factory = sqlite3.Row
            yield database
