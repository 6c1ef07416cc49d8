"""The guide's own sentences, said in the language of the question."""

from __future__ import annotations

from ..language import N_

WELCOME = N_(
    "Hello! I am the built-in guide of Lockbots. I am not a language model: I search the help. "
    "Try asking:\n\n"
    "- How do I connect OpenAI?\n- How do I undo a question?\n- How do I save a conversation?"
)
THANKS = N_("You are welcome!")
UNKNOWN = N_(
    "I can't answer that: I am the built-in guide, not a language model, and search only this help. "
    "A language model could answer it."
)
"""Why there is no answer; the nearest topics follow."""
NEAREST = N_("The nearest topics:")
"""Introduces these topics."""
ANSWERED = N_("It answers, for example:")
"""Introduces `UNKNOWN_TOPICS`, where none is near."""
UNKNOWN_TOPICS = (
    N_("How do I use Ollama?"),
    N_("What options does %%chat have?"),
    N_("Where is my API key kept?"),
)
CONNECT = N_("To use a real model: `%lockbots login openai`, then `%lockbots use openai:gpt-6-luna`.")
"""One line."""
NOT_SAID = N_("This help says nothing of that. What it says of the topic:")
"""Introduces the page of the last topic, as no page holds a word of the question."""
YES = N_("Yes.")
NO = N_("No.")
MORE = N_("The rest of this page: `%chat more`.")
"""Offers the rest of a page. `more` alone in a cell is a command of IPython."""
WHOLE = N_("That was the whole page. Related topics:")
"""Introduces them, for who asks for more of such a page."""
