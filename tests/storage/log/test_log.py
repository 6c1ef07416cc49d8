"""`Log`: what is logged, found, taken up again and forgotten."""

import json
import os
import sqlite3
import stat

import pytest

from lockbots_magic import Chat, Conversation, Log, UsageError
from lockbots_magic.security.secrets import Secret
from tests.chatserver import chat_server, say


def test_nothing_is_logged_and_no_file_is_made_until_asked_for(tmp_path, monkeypatch, chat):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    chat.ask("hello")
    log = Log()
    assert log.search("hello") == []
    assert (log.stats(), log.count(), log.forget("0123456789")) == ([], 0, 0)
    with pytest.raises(UsageError, match="log on"):
        log.open("0123456789")
    assert list(tmp_path.iterdir()) == []


def test_a_turn_is_found_by_any_form_of_its_words(log, chat):
    turn = chat.ask("Расскажи о погоде в городах")
    chat.ask("Plot the running universities")
    for words in ("погода", "город ПОГОДЫ", "расскажите о городе"):
        (hit,) = log.search(words)
        assert (hit.id, hit.turn.reply, hit.conversation) == (turn.id, turn.reply, chat.conversation.id)
    assert "**погоде**" in hit.snippet or "**городах**" in hit.snippet
    assert [hit.turn.prompt for hit in log.search("run university")] == ["Plot the running universities"]
    assert log.search("погода university") == []


def test_words_are_found_without_their_marks_and_without_spaces(log, chat):
    chat.ask("Ёлка у café 我喜欢北京的天气")
    for words in ("елка", "ёлки", "CAFE", "cafés", "北京", "天气", "北", "喜欢北京"):
        assert len(log.search(words)) == 1, words
    assert log.search("京北") == []


def test_a_phrase_stands_in_quotes(log, chat):
    chat.ask("two axes, one plot")
    assert log.search('"one plot"')
    assert not log.search('"plot one"')


def test_a_search_can_be_limited_by_model_date_notebook_and_code(log):
    chat = Chat(lambda prompt: "Use it:\n\n```python\nimport pandas as pd\n```\n\nNot numpy.")
    turn = chat.ask("How do I read a table?")
    model = f"function:{turn.model}"
    assert len(log.search("pandas", model=model)) == len(log.search("pandas", model="function*")) == 1
    assert log.search("pandas", model="openai:gpt") == []
    assert log.search("pandas", since="2020-01-01")
    assert log.search("pandas", since="2999-01-01") == []
    assert log.search("pandas", notebook="/there/is/none.ipynb") == []
    (hit,) = log.search("pandas", code=True)
    assert hit.snippet == "import **pandas** as pd"
    assert log.search("numpy", code=True) == []
    with pytest.raises(UsageError, match="2026-11-01"):
        log.search("pandas", since="yesterday")


def test_limit_is_the_most_that_is_returned(log, chat):
    for number in range(12):
        chat.ask(f"word {number}")
    assert (len(log.search("word")), len(log.search("word", limit=3)), len(log.search("word", limit=50))) == (10, 3, 12)
    with pytest.raises(UsageError, match="limit must be >= 1, got 0"):
        log.search("word", limit=0)


def test_a_conversation_is_taken_up_as_a_copy(log, chat):
    chat.conversation.name, chat.conversation.system = "physics", "Be brief."
    turns = [chat.ask(prompt) for prompt in ("one", "two", "three")]
    whole = log.open(chat.conversation.id)
    assert isinstance(whole, Conversation)
    assert (whole.name, whole.system, [turn.prompt for turn in whole.turns]) == (
        "physics",
        "Be brief.",
        ["one", "two", "three"],
    )
    assert whole.id != chat.conversation.id
    part = log.open(turns[1].id[:8])
    assert [turn.prompt for turn in part.turns] == ["one", "two"]
    Chat(lambda prompt: "Four.", conversation=part).ask("four")
    (hit,) = log.search("four")
    assert [turn.prompt for turn in log.open(hit.conversation).turns] == ["one", "two", "four"]


def test_a_conversation_is_as_it_was_after_its_last_turn(log, chat):
    turns = [chat.ask(prompt) for prompt in ("one", "two", "three")]
    chat.edit(turns[1].id, "zwei")
    assert [turn.prompt for turn in log.open(chat.conversation.id).turns] == ["one", "zwei", "three"]
    assert [turn.prompt for turn in log.open(turns[2].id).turns] == ["one", "two", "three"]


def test_a_turn_is_read_back_with_all_that_it_had(log):
    def add(a: int, b: int) -> int:
        return a + b

    with chat_server(lambda number, body: say("Hello.")) as (url, _):
        turn = Chat("openai:m", base_url=url, auth="sk-0123456789abcdef").ask("Hi", temperature=0.5, system="Be kind.")
    (read,) = log.open(turn.id).turns
    assert (read.prompt, read.reply, read.system, read.params) == ("Hi", "Hello.", "Be kind.", {"temperature": 0.5})
    assert (read.model, read.provider, read.status, read.id) == ("m", "openai", "complete", turn.id)
    assert (read.started, read.elapsed, read.address) == (turn.started, turn.elapsed, turn.address)


def test_failed_and_interrupted_turns_are_logged(log):
    with chat_server(lambda number, body: ("401 Unauthorized", {"error": {"message": "no such key"}})) as (url, _):
        chat = Chat("openai:m", base_url=url, auth="sk-0123456789abcdef")
        with pytest.raises(Exception, match="key"):
            chat.ask("will fail")
    (hit,) = log.search("will fail")
    assert hit.turn.status == "error"
    assert [turn.prompt for turn in log.open(hit.id).turns] == ["will fail"]


def test_a_chat_can_be_kept_out(log, chat):
    chat.log = False
    first = chat.ask("secret one")
    chat.log = True
    chat.retry(first.id)  # its prompt stays out
    chat.ask("public")
    quiet = Chat(lambda prompt: "yes")
    quiet.log = False
    quiet.fork().ask("secret two")
    quiet.check()
    assert log.count() == 1
    assert log.search("secret") == []
    read = log.read(log.search("public")[0].id)
    assert ([row["prompt"] for row in read.rows], read.missing) == (["public"], 1)


def test_credentials_are_masked_also_those_that_are_gone_when_it_is_written(log, chat):
    secret = Secret("sk-abcdefghijklmnop123456")
    chat.ask("My key is sk-abcdefghijklmnop123456, is it good?")
    del secret
    (hit,) = log.search("key")
    assert "***" in hit.turn.prompt
    for file in log.path.parent.iterdir():
        assert b"abcdefghijklmnop" not in file.read_bytes()


def test_images_are_kept_by_name_and_digest_only(log):
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    with chat_server(lambda number, body: say("A pixel.")) as (url, _):
        chat = Chat("openai:gpt-4o", base_url=url, auth="sk-0123456789abcdef")
        turn = chat.ask("What is this?", images=[f"data:image/png;base64,{pixel}"])
    assert log.search("what is this")
    assert pixel[:30].encode() not in log.path.read_bytes()
    with sqlite3.connect(log.path) as database:
        ((attachments,),) = database.execute("SELECT attachments FROM turn")
    database.close()
    (kept,) = json.loads(attachments)
    assert kept["name"] == "image/png"
    assert len(kept["sha256"]) == 64
    (read,) = log.open(turn.id).turns
    assert read.images == ()
    assert any("not kept in the log" in remark for remark in read.remarks)


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX's")
def test_only_the_owner_may_read_the_files(log, chat):
    chat.ask("hello")
    assert log.search("hello")
    for file in log.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(log.path.parent.stat().st_mode) == 0o700


def test_ids_that_are_unknown_or_too_short_name_nothing(log, chat):
    turn = chat.ask("hello")
    for unknown in ("nope", "0" * 32, turn.id[:3], "%", "'", ""):
        with pytest.raises(UsageError, match="no turn"):
            log.open(unknown)
        assert log.forget(unknown) == 0
    assert log.count() == 1


def test_forget_deletes_a_turn_a_conversation_or_more(log, chat):
    turns = [chat.ask(f"prompt {number}") for number in range(4)]
    other = Chat(lambda prompt: "yes").ask("another prompt")
    assert log.forget(turns[1].id) == 1
    assert [turn.prompt for turn in log.open(chat.conversation.id).turns] == ["prompt 0", "prompt 2", "prompt 3"]
    assert log.forget(chat.conversation.id) == 3
    assert [hit.id for hit in log.search("prompt")] == [other.id]
    assert log.forget_turns(before="2001-01-01").turns == 0
    assert log.forget_turns(everything=True).turns == 1
    assert (log.count(), log.search("prompt")) == (0, [])


def test_stats_sum_by_month_and_model(log, chat):
    chat.ask("one")
    chat.ask("two")
    (row,) = log.stats()
    assert (row.turns, row.estimated, row.model.startswith("function:")) == (2, True, True)
    assert row.prompt_tokens > 0
    assert len(row.month) == 7


def test_a_turn_that_comes_twice_is_kept_once(log, chat, tmp_path):
    for _ in range(2):
        copy = Chat(lambda prompt: "Replayed.", cassette=tmp_path / "tape.jsonl")
        copy.ask("hello")
    assert log.count() == 1
