"""Questions that are answered with yes or no first."""

from __future__ import annotations

import re

_LEAD = r"(?:(?:and|so|but|hi|hey|ok|а|и|но|скажи|подскажи|скажите|подскажите|привет|слушай|то есть) )*"
_OPEN_WORDS = (
    r"how what where which why when who whose or как каким какой какая какие какую где куда откуда что чем чего почему"
    r" зачем когда сколько кто или"
)
_CLOSED = rf"(?!.*\b(?:{_OPEN_WORDS.replace(' ', '|')})\b)"
"""The question asks for no more than yes or no."""
_ENGLISH = (
    r"can|could|does|do you|is it possible|is there|are there|will it|may i|it can|any (?:way|chance|option|support)"
)
_RUSSIAN = (
    r"можно|может|могу|умеет|умеют|есть|поддерживает\w*|видит|работает|показываются|возможно|реально|получится|читает"
    r"|понимает|помнит|принимает"
)
_SUBJECT = r"(?:it|he|он|она|оно|бот|модель|панель|чат|это|lockbots) "
_LAST = r"supported|possible|allowed|support|available|поддерживается|поддерживаются|возможно|можно|есть|работает|умеет"

YES_NO = re.compile(
    rf"{_CLOSED}.*\?$"
    rf"|{_LEAD}(?:can|could|does|do|will|is|are|may) \w+"
    rf"|{_LEAD}(?:{_RUSSIAN}|надо|нужно|безопасно|хранится|сохраняется|отправляется)\b"
    rf"|{_CLOSED}(?:[\w%-]+ ){{1,3}}ли\b"
)
"""A question that may be answered with yes or no."""

YES = re.compile(
    rf"{_LEAD}(?:{_ENGLISH}|{_RUSSIAN})\b"
    rf"|{_LEAD}{_CLOSED}{_SUBJECT}(?:can|supports?|reads?|works|{_RUSSIAN})\b"
    rf"|{_LEAD}{_CLOSED}(?:[\w%.-]+ ){{1,5}}(?:{_LAST}|может|читает|видит)(?: ли)?(?: это)?$"
    rf"|{_LEAD}{_CLOSED}(?:{_RUSSIAN}|доступн[ао])(?: \w+)? ли\b"
    rf"|{_LEAD}{_CLOSED}works? (?:in|on|with|for)\b"
)
"""One whose answer is yes where the help has a section about it, unless this says no."""

CAPABILITY = "support possible available use work able поддерживать возможно доступно умеет понимать использовать"
"""Words of such a question that its page need not hold."""
UNSURE = re.compile(
    r"\b(?:all|every|whole|entire|without|itself|alone|automatically|always|ever|still|hurt|harm|damage|steal|malicious"
    r"|needs?|requires?|costs?|keys?|passwords?|secrets?|my (?:model|server)|not|never|\w+n't|even|million|delete"
    r"|publish\w*|upload\w*|leak\w*|somewhere|anywhere|built[- ]in|ready[- ]made"
    r"|screen|sandbox\w*|see my|you (?:see|remember|know)|[bcefghjklnopqrvwxyz]"
    r"|публику\w*|выклады\w*|утека\w*|куда|готовы\w*|встроен\w*"
    r"|не|без|сам[аио]?|все|всю|весь|вс[её]гда|автоматически|навредить|опасно|украсть|миллион\w*|даже|нуж[ен]\w*|надо"
    r"|стоит|экран|песочниц\w*|видишь|помнишь|ключ\w*|парол\w*"
    r"|(?:поддерживает|умеет) ли (?:моя |мой )?(?:модель|сервер))\b"
)
"""Words with which a question asks for more than whether there is something; its answer may be no.

A letter alone is a language of programming, which the search takes no account of.
"""
NUMBERED = re.compile(r"\b[^\W\d]\w*(?: \d+)+\b")
"""A version, or how many of a thing: yes only where the page has this number, too. Of plain words."""
NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|cannot|\w+n['’]t|neither|не|нет|нельзя|никогда|ничего|никто|ни"
    r"|никак\w*)\b",
    re.IGNORECASE,
)
"""What makes a sentence of the help, with the words of the question, no plain yes."""
