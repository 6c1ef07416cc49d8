"""Conversations of a session by name, and which one is current."""

from __future__ import annotations

import difflib
import itertools
import threading
import unicodedata
import weakref
from collections.abc import Container

from ..conversation.conversation import Conversation
from ..conversation.history_entry import RestoredConversation
from ..conversation.observers import Observers
from ..conversation.recorded_reply import derived_id
from ..errors import UsageError
from ..language import _
from ..security.control_characters import printable


class Conversations:
    """Named conversations. Threads may add some while others list them.

    Args:
        observers: Told when the set of conversations has changed.
    """

    def __init__(self, observers: Observers | None = None) -> None:
        self.current = "main"
        """Name of the current conversation."""
        self.observers = Observers() if observers is None else observers
        self._lock = threading.RLock()
        self._named: dict[str, Conversation] = {}
        self._proposed: weakref.WeakValueDictionary[str, Conversation] = weakref.WeakValueDictionary()
        """Conversations of chats that have sent nothing yet, by name."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and clean_name(name) in self.by_name

    def __len__(self) -> int:
        return len(self.by_name)

    @property
    def by_name(self) -> dict[str, Conversation]:
        """A copy: conversations by name, in the order in which they were added."""
        with self._lock:
            return dict(self._named)

    def all(self) -> tuple[Conversation, ...]:
        """Return all conversations."""
        return tuple(self.by_name.values())

    def get(self, name: str | None = None) -> Conversation:
        """Return a conversation, created if it doesn't exist; by default the current one."""
        name = clean_name(name or "") or self.current
        with self._lock:
            return self.keep(self.propose(name))

    def propose(self, name: str) -> Conversation:
        """Return the conversation of that name, or one that `keep` adds when its chat sends; others get the same."""
        name = clean_name(name)
        with self._lock:
            known = self._named.get(name)
            return known if known is not None else self._proposed.setdefault(name, Conversation(name))

    def find(self, name: str) -> Conversation:
        """Return a conversation.

        Raises:
            UsageError: If there is none of that name.
        """
        name = clean_name(name)
        if name == "main":
            return self.get(name)
        known = self.by_name
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = _("Did you mean {near!r}?", near=near[0]) if near else _("To list them: `%lockbots list`.")
            raise UsageError(_("Unknown conversation {name!r}. {hint}", name=name, hint=hint))
        return known[name]

    def keep(self, conversation: Conversation) -> Conversation:
        """Add a conversation that a chat was made for, unless its name is taken; return the one of that name."""
        with self._lock:
            self._proposed.pop(conversation.name, None)
            known = self._named.setdefault(conversation.name, conversation)
        if known is conversation:
            self.observers.notify()
        return known

    def add(self, conversation: Conversation) -> Conversation:
        """Add a conversation and make it the current one; a taken name gets a number."""
        with self._lock:
            conversation.name = self.free_name(clean_name(conversation.name) or "chat")
            if any(one.id == conversation.id for one in self._named.values()):
                conversation.id = derived_id(
                    "copy", conversation.id, conversation.name
                )  # saved and loaded again: from here on there are two
            self._named[conversation.name] = conversation
            self.current = conversation.name
        self.observers.notify()
        return conversation

    def restore(self, restored: RestoredConversation) -> tuple[Conversation, bool]:
        """Add a conversation restored from a notebook; one that is here already is only continued.

        An empty conversation makes way for one of its name; beside others it gets a number. The current conversation
        stays the same.

        Returns:
            The conversation as it is here, and True if it was added.
        """
        conversation = Conversation.from_restored(restored)
        conversation.name = clean_name(conversation.name) or "chat"
        with self._lock:
            here = next((one for one in self._named.values() if one.id == conversation.id), None)
            if here is not None:
                if here.made >= conversation.made or here.turns != conversation.turns[: len(here)]:
                    return here, False
                conversation.name = here.name
            elif (namesake := self._named.get(conversation.name)) is not None and namesake.turns:
                if not conversation.turns:
                    return namesake, False
                conversation.name = self.free_name(conversation.name)
            self._named[conversation.name] = conversation
        self.observers.notify()
        return conversation, True

    def switch(self, name: str) -> Conversation:
        """Make a conversation the current one.

        Raises:
            UsageError: If there is none of that name.
        """
        conversation = self.find(name)
        self.current = conversation.name
        return conversation

    def delete(self, name: str) -> Conversation:
        """Delete a conversation and return it; `main` becomes the current one if it was.

        Raises:
            UsageError: If there is none of that name.
        """
        name = self.find(name).name
        with self._lock:
            deleted = self._named.pop(name)
            if name == self.current:
                self.current = "main"
        self.observers.notify()
        return deleted

    def free_name(self, name: str) -> str:
        """Return `name`, with a number appended if it is taken."""
        return free_name(name, self.by_name)


def clean_name(name: str) -> str:
    """Return a name as it is kept, so that no two look the same: accents joined to their letters, nothing invisible.

    Example:
        >>> clean_name(" cafe\\u0301\\u202e\\n")
        'café'
    """
    return " ".join(unicodedata.normalize("NFC", printable(name)).split())


def free_name(name: str, taken: Container[str]) -> str:
    """Return `name`, with a number appended if it is `taken`."""
    numbered = (f"{name}-{n}" for n in itertools.count(2))
    return name if name not in taken else next(n for n in numbered if n not in taken)
