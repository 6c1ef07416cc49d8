"""What looks like a secret is found in prompts and files, and what doesn't stays."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.security.__main__ import main
from lockbots_magic.security.named_secrets import _SEARCHES, LEFT_OUT, is_credential_name
from lockbots_magic.security.secret_shapes import _MAY_HAVE_SHAPE, _SHAPES, find_secrets, leave_out_secrets
from tests.effort import examples
from tests.linear import is_linear

# Made up here, and put together at run time, so that no file of this repository has the shape of a secret.
LETTERS = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"
SECRETS = [
    "sk-" + LETTERS,
    "sk-proj-" + LETTERS,
    "sk-ant-api03-" + LETTERS,
    "sk-or-v1-" + "0a1b2c3d" * 8,
    "ghp_" + LETTERS,
    "github_pat_" + LETTERS,
    "glpat-" + LETTERS[:20],
    "AKIA" + "A1B2C3D4E5F6G7H8",
    "AIza" + LETTERS[:35],
    "xoxb-" + "123456789012-" + LETTERS[:24],
    "lin_" + "api_" + LETTERS,
    "hvs" + "." + LETTERS,
    "dckr_" + "pat_" + LETTERS,
    "ATATT3" + LETTERS,
    "whsec_" + LETTERS,
    "ts" + "key-auth-" + LETTERS,
    "hf_" + LETTERS[:34],
    "gsk_" + LETTERS + LETTERS[:12],
    "sk_live_" + LETTERS[:24],
    "npm_" + LETTERS[:36],
    "SG." + LETTERS[:22] + "." + LETTERS,
    "ey" + "Jhbg" + LETTERS[:20] + ".eyJzd" + LETTERS + "." + LETTERS,
    "Bearer " + LETTERS,
    "AQ" + "VN" + LETTERS[:36],
    "y0" + "_AgAAAA" + LETTERS + LETTERS[:12],
    "t1" + ".9euelZq" + LETTERS + "." + (LETTERS * 3)[:86],
]
NAMED = [
    'password = "{}"',
    "'DB_PASSWORD': '{}',",
    '{{"api_key": "{}"}}',
    "export GITHUB_TOKEN={}",
    "client_secret: {}",
    "AWS_SECRET_ACCESS_KEY={}",
    "postgres://me:{}@db.example/x",
    "{{'Authorization': 'Basic {}=='}}",
    'curl -H "Authorization: token {}"',
    "machine api.example login me\n  password {}\n",
    "password: str | None = '{}'",
    'os.environ["MISTRAL_API_KEY"] = "{}"',
    "os.environ.setdefault('DB_PASSWORD', '{}')",
    'parser.add_argument("--token", default="{}")',
    'headers["X-Api-Key"] = "{}"',
    'api_key = r"""{}"""',
    'if password == "{}":',
    '<add key="ApiKey" value="{}"/>',
    "<password>{}</password>",
    "%env MISTRAL_API_KEY={}",
    "!MISTRAL_API_KEY={} ls",
    "ENV API_KEY {}",
    "docker run --env API_KEY={} image",
    "PGPASSWORD={} psql -h db",
    "mysql --password {} db",
    "curl -u me:{} https://api.example",
    "curl -H 'X-API-Key: {}' https://api.example",
    "curl -H 'Cookie: session={}' https://api.example",
    "https://api.example/v1?access_token={}&page=2",
    "https://files.example/a?sig={}a1b2c3d4e5",
    "Server=db;User Id=sa;Password={};Database=x",
    'requests.get(url, auth=("me", "{}"))',
    "api_key = {}  # of the team",
    "Пароль: {}",
    "пароль = '{}'",
    "{{'токен': '{}'}}",
    "секретный ключ: {}",
    "ПАРОЛЬ={}",
    "secret-key: {}",
    "'secret-key' = '{}'",
    "api_key: {} \r\nmodel: x\r\n",
    "| password |\n|---|\n| {} |\n|---|\n| x |",
    "| password | a |\n|---|---|\n| x | y |\n|---|---|\n| {} | z |",
    "| user | password |\n| --- | :-: |\n| anna \\| b | `{}` |\n",
    "text\n\n| api_key | n |\n|---|---|\n| | 1 |\n| {} | 2 |\n\nafter",
]
HARMLESS = [
    "Authorization: Bearer $TOKEN_OF_THE_SERVICE_1",
    "authorization: required for version 2 of the interface",
    "| id | token |\n|---|---|\n| 1 | running |\n| 12345678 | ###123 |\n\n| 1 | a1b2c3d4e5 |",
    "| password | note1234 |\n",
    "sk-learn-is-not-a-key-of-any-service-at-all",
    "What is sk-... and how do I get an API_KEY?",
    "api_key='your-api-key-here'",
    "OPENAI_API_KEY=$OTHER_KEY",
    "password = os.environ['DB_PASSWORD']",
    'token = get_token("a")',
    "max_tokens = 12345678",
    '{"prompt_tokens": "123456789"}',
    "http://localhost:8888/lab?x=1@2",
    "git@github.com:owner/name.git",
    "The password: please ask the administrator.",
    "lm-studio not-needed sk-no-key-required " + "sk-" + "x" * 30,
    '"token_type": "authorization_code"',
    'tokenizer = "gpt2-medium-v2"',
    'tokenizer = "Qwen2.5-7B-Instruct-GPTQ"; tokenizer_name = "mistralai/Mistral-7B-v0.1"',
    'tokenizer = "-DeepSeek-R1-Distill-Qwen-32B-2025_04"; token_names=["max-output-tokens-2024-05-13"]',
    "TOKENIZERS_PARALLELISM=true\ntokenizer_config: Qwen2-VL-7B-Instruct-AWQ\nmodel(token_type=TokenType2Name)",
    'token_url = "https://api.example/oauth2/v2"; password = "/run/secrets/MyApp2/db_password1"',
    "token-base: roberta-base-12",
    '"token_type": "oauth2-code", token_ids="1a2b3c4d", password_field = "input-1234"',
    "generate(max_new_tokens=20, token=tokens2, api_key=settings.api_key_2)",
    "api_key = settings.api_key_2",
    'api_key=os.environ["MY_API_KEY1"]',
    "docker run -u 1000:1000 image --token-file /run/token2.txt --password-stdin",
    "Cookie: a recipe of 12 pieces, secret: the answer to 42",
    "Токенов: 4096-8192, пароль: придумайте_новый, секреты успеха: 2-я_часть, ключ: основной-2",
    "Паролей нет; токен-лимит: gpt-4o-mini",
    "https://example.org/AKIA/risk-management",
]


def test_token_of_a_known_shape_is_left_out():
    for secret in SECRETS:
        for text in (secret, f"a {secret} b", f"'{secret}'", f"key={secret},"):
            kept, left_out = leave_out_secrets(text, {})
            assert secret[8:] not in kept, secret
            assert LEFT_OUT in kept
            assert left_out
            assert secret not in left_out


def test_value_under_the_name_of_a_credential_is_left_out():
    for form in NAMED:
        kept, left_out = leave_out_secrets(form.format("hunter2-4ever"), {})
        assert "hunter2" not in kept, form
        assert left_out


def test_random_value_is_left_out_though_the_name_goes_on():
    names = "API_KEY_OPENAI token_github passwordDb secrets DB_PASSWORD_ADMIN_2a"
    values = (LETTERS, LETTERS[:16], "0123456789abcdef" * 2)
    for form in (f"{name}{form}" for name in names.split() for form in (" = '{}'", "={}", ": {}\nmodel: x")):
        for value in (*values, f"-{LETTERS}", f"-_{LETTERS[:14]}", f"{LETTERS[:12]}-{LETTERS[:3]}_", f"_{values[2]}"):
            kept = leave_out_secrets(form.format(value), {})[0]
            assert LEFT_OUT in kept, form
            assert value[-12:] not in kept, form


def test_base64_that_begins_with_a_slash_is_no_path():
    value = "/" + "ivd0ARFMn4XWQmaOIGHpIE" + "/TWdXDRz0v5y9O1j2"
    assert value not in leave_out_secrets(f'"SecretAccessKey": "{value}"', {})[0]


def test_private_key_is_left_out_whole():
    key = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEabc+/=\nDEF\n-----END RSA PRIVATE KEY-----"
    assert leave_out_secrets(f"a {key} b", {})[0] == f"a {LEFT_OUT} b"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert leave_out_secrets(text, {"HOME": "/home/me", "PWD": "/home/me/work"}) == (text, "")


def test_value_of_the_environment_is_left_out_wherever_it_stands():
    environment = {"DB_PASSWORD": "swordfish", "X_AUTH_SOCK": "/tmp/ssh-agent", "PATH": "/usr/bin", "A_TOKEN": "short"}
    kept, left_out = leave_out_secrets(f"Why does {environment} fail with swordfish?", environment)
    assert "swordfish" not in kept
    assert "/usr/bin" in kept
    assert "DB_PASSWORD" in left_out


def test_names_of_credentials():
    yes = "DB_PASSWORD password api_key OPENAI_API_KEY github_token TOKEN client_secret AWS_SECRET_ACCESS_KEY X_PWD"
    no = "PWD OLDPWD tokens_used token_count key keys keyboard author PATH HOME monkey max_tokens tokenizer"
    assert [name for name in yes.split() if not is_credential_name(name)] == []
    assert [name for name in no.split() if is_credential_name(name)] == []


@given(st.text(alphabet="sk-_eyJ.AIzaKB= \"':/@\n01Bearpwod", max_size=200))
def test_findings_are_in_order_and_within_the_text(text):
    at = 0
    for one in find_secrets(text, {"A_TOKEN": "01Bearer"}):
        assert at <= one.start < one.end <= len(text)
        at = one.end


def spell_oddly(text):
    """Return text with letters that `re` takes for an s, a k and an i where case counts for nothing."""
    return text.replace("s", "\u017f").replace("k", "\u212a").replace("i", "\u0131")


def test_name_of_a_credential_in_odd_letters_is_found_as_the_patterns_find_it():
    for text in ('db_credential = "{}"', "Cookie: session={}", "https://x.example/?sig={}", "/?x-amz-signature={}"):
        for letter in "\u0130\u0131":
            written = text.replace("i", letter).format(LETTERS)
            assert LETTERS not in leave_out_secrets(written, {})[0], written


@settings(max_examples=examples(1_000))
@given(
    st.lists(st.sampled_from([*NAMED, *HARMLESS, "| Key |\n|---|\n|{}|", " ", "\n"]), max_size=4).map("".join),
    st.sampled_from(["hunter2-4ever", "", "\u017f"]),
    st.sampled_from([str, str.upper, str.title, spell_oddly, lambda text: spell_oddly(text.replace("i", "\u0130"))]),
)
def test_searches_that_a_text_is_spared_would_find_nothing(text, value, spell):
    written = spell(text.replace("{}", value))
    for words, search in _SEARCHES:
        if not any(word in written.casefold() for word in words):
            assert [*search(written)] == []


def test_text_of_each_shape_is_searched_for_it():
    for _, shape in _SHAPES:
        if "://" not in shape.pattern:

            @settings(max_examples=2, database=None)
            @given(st.from_regex(shape.pattern, fullmatch=True))
            def check(text):
                assert _MAY_HAVE_SHAPE.search(text)

            check()


def test_time_to_search_grows_with_the_text():
    shapes = ("a", "sk-", "eyJ", "eyJaaaaaaaaaa.", "password='", "://a:", "-----BEGIN PRIVATE KEY-----", "key: ", " ")
    shapes += (
        "curl -u a",
        "cookie:a=",
        "auth=('",
        "--",
        "<a",
        "?sig=",
        "token",
        "token: a",
        "пароль: a",
        "t1.a",
        "y0_",
        "token', '",
        "a_",
        "--a-",
        "api_key=",
        "token=a1b2c3d4 #",
        "secret_",
        "tokena",
        "| token |\n|-|\n",
    )

    for shape in shapes:
        assert is_linear(find_secrets, shape, 5_000), shape


def cells(*sources):
    made = [{"cell_type": "code", "source": one, "metadata": {}, "outputs": []} for one in sources]
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_check_names_places_and_no_secret(tmp_path, capsys):
    secret = SECRETS[0]
    notebook = cells(["import os\n", "x = 1"], [f"key = '{secret}'\n"], "fine")
    notebook["cells"][2]["outputs"] = [
        {"output_type": "display_data", "data": {"image/png": "AKIA" + "A1B2C3D4E5F6G7H8", "text/plain": [secret]}}
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "a.jsonl").write_text('{"format": "x"}\n' + json.dumps({"params": {"password": "hunter2-4ever"}}))
    (tmp_path / "a.env").write_text(f"A=1\nAPI_KEY={secret}\n")
    (tmp_path / "clean.ipynb").write_text(json.dumps(cells("x = 1")))
    names = [str(tmp_path / name) for name in ("a.ipynb", "a.jsonl", "a.env", "clean.ipynb")]
    assert main(names) == 1
    out = capsys.readouterr().out
    assert secret not in out
    assert "hunter2" not in out
    for place in ("a.ipynb: cell 2: ", "a.ipynb: cell 3: API key", "a.jsonl: line 2: ", "a.env: line 2: API key"):
        assert place in out
    assert "clean" not in out
    assert "AWS" not in out
    assert main([names[-1]]) == 0


def test_check_finds_credentials_in_use_in_any_form(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MY_API_KEY", "correct+horse")
    (tmp_path / "a.txt").write_text("http://a.example/?q=correct%2bhorse")
    assert main([str(tmp_path / "a.txt")]) == 1
    assert "line 1: a credential in use" in capsys.readouterr().out


def test_check_tells_what_it_can_not_read(tmp_path, capsys):
    (tmp_path / "bytes.ipynb").write_bytes(b"\xff\x00{")
    (tmp_path / "deep.jsonl").write_text("[" * 100_000 + "]" * 100_000)
    assert main([str(tmp_path / "bytes.ipynb"), str(tmp_path / "deep.jsonl")]) == 0
    assert main([str(tmp_path / "none"), str(tmp_path), "/dev/null"]) == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_check_refuses_a_file_that_is_too_large(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lockbots_magic.security.file_check.MAX_FILE", 2_000_000)
    (tmp_path / "a.txt").write_bytes(b"x" * 2_000_001)
    assert main([str(tmp_path / "a.txt")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'a.txt'}: larger than 2 MB\n"


def test_check_reads_json_at_any_depth(tmp_path, capsys):
    for depth in (0, 3, 150):
        value = {"note": SECRETS[0]}
        for _ in range(depth):
            value = [value]
        (tmp_path / "a.json").write_text(json.dumps(value))
        assert main([str(tmp_path / "a.json")]) == 1
        assert "a.json: JSON: API key" in capsys.readouterr().out


def test_check_runs_as_a_module(tmp_path):
    (tmp_path / "a.txt").write_text(SECRETS[0])
    command = [sys.executable, "-W", "error", "-m", "lockbots_magic.security", str(tmp_path / "a.txt")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout == f"{tmp_path / 'a.txt'}: line 1: API key\n"


def test_check_names_files_that_the_console_of_windows_has_no_letters_for(tmp_path):
    (tmp_path / "Отчёт.txt").write_text(SECRETS[0], encoding="utf-8")
    command = [sys.executable, "-m", "lockbots_magic.security", "Отчёт.txt", "нет.txt"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment)
    assert ran.returncode == 2
    assert rb"\u041e\u0442\u0447\u0451\u0442.txt: line 1: API key" in ran.stdout
    assert b"Traceback" not in ran.stderr


@pytest.mark.once
def test_hook_for_pre_commit_runs_the_check():
    hook = Path(__file__).parents[2].joinpath(".pre-commit-hooks.yaml").read_text()
    assert "entry: python -m lockbots_magic.security" in hook
