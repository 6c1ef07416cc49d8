"""Schema of the log's database: its version, and the steps that lead to it.

The page `docs/reference/log.md` describes it for other programs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from ...errors import UsageError
from ...language import _

APPLICATION_ID = 0x6C6F636B
"""`application_id` of the file: "lock"."""
SECURE_DELETE_SQLITE = (3, 42, 0)
"""First version of SQLite whose full-text index can erase what is deleted."""

_CREATE = """
CREATE TABLE conversation (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  system TEXT NOT NULL DEFAULT '',
  started REAL NOT NULL
);
CREATE TABLE turn (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  conversation_id TEXT REFERENCES conversation(id) ON DELETE CASCADE,
  started REAL NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  status TEXT NOT NULL,
  notebook TEXT NOT NULL DEFAULT '',
  folder TEXT NOT NULL DEFAULT '',
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  estimated INTEGER NOT NULL DEFAULT 0,
  cost REAL,
  serial INTEGER NOT NULL DEFAULT 0,
  history TEXT NOT NULL DEFAULT '',
  elapsed REAL NOT NULL DEFAULT 0,
  address TEXT NOT NULL DEFAULT '',
  prompt TEXT NOT NULL,
  reply TEXT NOT NULL,
  reasoning TEXT NOT NULL DEFAULT '',
  system TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  attachments TEXT NOT NULL DEFAULT '[]',
  details TEXT NOT NULL DEFAULT '{}',
  stems TEXT NOT NULL DEFAULT ''
);
CREATE INDEX turn_conversation ON turn(conversation_id);
CREATE INDEX turn_started ON turn(started);
CREATE INDEX turn_serial ON turn(serial);
CREATE VIRTUAL TABLE turn_search USING fts5(
  prompt, reply, notebook, stems,
  content='turn', content_rowid='number', tokenize='unicode61 remove_diacritics 2'
);
INSERT INTO turn_search(turn_search, rank) VALUES ('rank', 'bm25(2.0, 1.0, 0.5, 0.5)');
CREATE TRIGGER turn_inserted AFTER INSERT ON turn BEGIN
  INSERT INTO turn_search(rowid, prompt, reply, notebook, stems)
  VALUES (new.number, new.prompt, new.reply, new.notebook, new.stems);
END;
CREATE TRIGGER turn_deleted AFTER DELETE ON turn BEGIN
  INSERT INTO turn_search(turn_search, rowid, prompt, reply, notebook, stems)
  VALUES ('delete', old.number, old.prompt, old.reply, old.notebook, old.stems);
  DELETE FROM conversation WHERE id = old.conversation_id
    AND NOT EXISTS (SELECT 1 FROM turn WHERE conversation_id = old.conversation_id);
END;
CREATE TRIGGER turn_updated AFTER UPDATE OF number, prompt, reply, notebook, stems ON turn BEGIN
  INSERT INTO turn_search(turn_search, rowid, prompt, reply, notebook, stems)
  VALUES ('delete', old.number, old.prompt, old.reply, old.notebook, old.stems);
  INSERT INTO turn_search(rowid, prompt, reply, notebook, stems)
  VALUES (new.number, new.prompt, new.reply, new.notebook, new.stems);
END;
CREATE TRIGGER conversation_deleted AFTER DELETE ON conversation BEGIN
  DELETE FROM turn WHERE conversation_id = old.id;
END;
"""
"""Columns of `turn` that filters need stand before the long texts, which lie on pages of their own."""


def _create(database: sqlite3.Connection) -> None:
    """Create everything: version 1."""
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _statements(_CREATE):
        database.execute(statement)
    if sqlite3.sqlite_version_info >= SECURE_DELETE_SQLITE:  # for deletions by other programs, too
        database.execute("INSERT INTO turn_search(turn_search, rank) VALUES ('secure-delete', 1)")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create,)
"""Steps from one version to the next; the first makes version 1 of an empty file."""
VERSION = len(MIGRATIONS)
"""`user_version` of the schema."""


def migrate(database: sqlite3.Connection, name: str) -> None:
    """Bring a database to the present version, in one transaction; another process may do it at the same time.

    Args:
        database: The open database.
        name: Its name in messages.

    Raises:
        UsageError: A later release wrote it, or it is the database of another program.
        sqlite3.Error: It can't be read or written.
    """
    if version_of(database, name) == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[version_of(database, name) :]:
            step(database)
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def repair_index(database: sqlite3.Connection) -> None:
    """Write the full-text index anew if a later SQLite has erased words in it, so that an earlier one can't read it.

    Fact: FTS5, "The 'secure-delete' Configuration Option".
    """
    if sqlite3.sqlite_version_info >= SECURE_DELETE_SQLITE:
        return
    try:
        database.execute("SELECT rowid FROM turn_search WHERE turn_search MATCH 'x' LIMIT 1").fetchone()
    except sqlite3.Error as error:
        if "rebuild" not in str(error):
            raise
        database.execute("BEGIN IMMEDIATE")
        # Without it, the earlier SQLite refuses to rebuild, too. What the index holds in the later format is dropped.
        database.execute("UPDATE turn_search_config SET v = 4 WHERE k = 'version'")
        database.execute("INSERT INTO turn_search(turn_search) VALUES ('rebuild')")
        database.execute("COMMIT")


def version_of(database: sqlite3.Connection, name: str) -> int:
    """Return the version of the schema; 0 for an empty database.

    Raises:
        UsageError: As for `migrate`.
    """
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    is_ours = int(database.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID
    if not is_ours and (version or database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()):
        raise UsageError(_("{name} is the database of another program. Name another file.", name=name))
    if version > VERSION:
        raise UsageError(
            _(
                "{name} has version {version} of the log's schema; this release reads version {known}. "
                "Update lockbots-magic.",
                name=name,
                version=version,
                known=VERSION,
            )
        )
    return version


def _statements(script: str) -> list[str]:
    """Split a script: `executescript` would end the transaction."""
    statements, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        if sqlite3.complete_statement(begun):
            statements.append(begun.strip())
            begun = ""
    return statements
