"""What is wrong with a reply, for the user in the current language, and for the model in English."""

import copy
import pickle

import pytest

from lockbots_magic.language import speaking
from lockbots_magic.schema.json_values import SchemaMismatch, read_json
from lockbots_magic.schema.structured_output import reply_schema

WRONG = (
    ("No value.", "The reply holds no JSON", "в ответе нет JSON"),
    ('{"a": 1, "a": 2}', 'Duplicate key "a" in an object', 'ключ "a" повторяется в объекте'),
    ("[1, 2", "Invalid JSON: Expecting ',' delimiter (line 1", "недопустимый JSON: ожидалась запятая (строка 1"),
)


def test_user_reads_it_in_the_current_language_and_the_model_in_english():
    schema = reply_schema()
    for reply, english, russian in WRONG:
        with speaking("ru"), pytest.raises(SchemaMismatch) as caught:
            schema.parse(reply)
        with speaking("ru"):
            assert str(caught.value).startswith(russian)
            assert english in schema.format_correction(caught.value)
        assert str(caught.value).startswith(english)
        assert caught.value.english.startswith(english)


def test_copies_say_the_same():
    for reply in ("{]", "[NaN]"):
        with pytest.raises(SchemaMismatch) as caught:
            read_json(reply)
        for twin in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
            assert type(twin) is type(caught.value)
            with speaking("ru"):
                assert str(twin) == str(caught.value) != twin.english
