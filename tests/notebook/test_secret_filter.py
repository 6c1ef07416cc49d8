"""What looks like a secret is left out of prompts, with a note, unless the user says otherwise."""

from lockbots_magic.security.named_secrets import LEFT_OUT
from tests.security.test_secret_shapes import LETTERS, SECRETS

TOKEN = SECRETS[4]


def sent(server):
    return str(server.requests[-1].json["messages"])


def test_environment_is_sent_without_its_secrets(run, openai, monkeypatch):
    monkeypatch.setenv("DB_PASSWORD", "swordfish")
    monkeypatch.setenv("CI_JOB_TOKEN", "abcd1234efgh")
    monkeypatch.setenv("COLOUR", "turquoise")
    cell = run("%chat What is in {{ __import__('os').environ }}?")
    assert "swordfish" not in sent(openai)
    assert "abcd1234efgh" not in sent(openai)
    assert "turquoise" in sent(openai)
    assert "left out of the prompt" in cell.outputs[0].data["text/html"]
    assert "--raw" in cell.outputs[0].data["text/html"]


def test_secrets_are_left_out_wherever_they_come_from(run, openai, tmp_path, monkeypatch):
    (tmp_path / "a.env").write_text(f"A=1\nSERVICE_TOKEN={LETTERS}\n")
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas" / "p.md").write_text(f"Use {TOKEN}.")
    monkeypatch.chdir(tmp_path)
    run(f"db_pwd = 'swordfish-77'\nheaders = {{'X': '{TOKEN}'}}")
    for line in (
        "%chat {{ db_pwd }} is the word",
        "%chat {{ headers }}",
        f"%chat Is {TOKEN} valid?",
        f"%%chat\nIs {TOKEN} valid?",
        "%chat --file a.env What is it?",
        '%chat -s "@p" Hi.',
        f"%chat -s 'Use {TOKEN}.' Hi.",
    ):
        cell = run(line)
        assert cell.error is None, line
        whole = sent(openai)
        assert "swordfish" not in whole
        assert TOKEN not in whole, line
        assert LETTERS not in whole
        assert LEFT_OUT in whole
        assert "left out of the prompt" in str(cell.outputs[-1].data), line


def test_raw_and_a_setting_send_them(run, openai):
    run(f"%chat --raw Is {TOKEN} valid?")
    assert TOKEN in sent(openai)
    assert run("%lockbots set send_secrets on").error is None
    cell = run(f"%chat Is {TOKEN} valid?")
    assert TOKEN in sent(openai)
    assert "left out" not in str(cell.outputs[0].data)


def test_error_that_holds_a_secret_is_explained_without_it(run, openai):
    run(f"raise ValueError('no access with {TOKEN}')")
    cell = run("%lockbots explain")
    assert TOKEN not in sent(openai)
    assert "left out of the prompt" in str(cell.outputs[-1].data)


def test_comparison_is_asked_without_secrets(run, openai):
    cell = run(f"%lockbots compare openai:demo openai:demo -- Is {TOKEN} valid?")
    assert TOKEN not in sent(openai)
    assert "left out of the prompt" in cell.stdout


def test_words_in_variables_stay(run, openai):
    run("secret_word = 'elephants'\nauthor = 'Lewis Carroll'\ntoken = 'a token of love'")
    run("%chat Guess {{ secret_word }} of {{ author }}, {{ token }}.")
    assert "elephants of Lewis Carroll, a token of love" in sent(openai)
