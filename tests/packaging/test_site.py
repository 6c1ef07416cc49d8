"""The site is built, without a warning: no broken link, no page that nothing leads to, no fault in a docstring."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.optional import need

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.packaging


@pytest.mark.skipif(not (ROOT / "docs" / "conf.py").exists(), reason="the documents are not beside the tests")
def test_the_site_builds_without_a_warning(tmp_path):
    need("sphinx", "myst_nb", "furo")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs", "-d", tmp_path / "made"]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    built = subprocess.run(
        [*command, ".", tmp_path / "site"], cwd=ROOT, capture_output=True, text=True, env=environment, check=False
    )
    assert built.stderr == ""
    assert built.returncode == 0
    pages = {str(page.relative_to(tmp_path / "site")) for page in (tmp_path / "site").rglob("*.html")}
    assert {"docs/index.html", "docs/reference/commands.html", "lockbots_magic/help/ru.html"} <= pages
    listed = re.findall(r"\]\((_sources/[^)]+)\)", (tmp_path / "site/llms.txt").read_text(encoding="utf-8"))
    assert len(listed) > 20
    assert [one for one in listed if not (tmp_path / "site" / one).exists()] == []
    api = (tmp_path / "site/docs/reference/api.html").read_text(encoding="utf-8")
    assert 'id="lockbots_magic.chat.Chat.ask"' in api or 'id="lockbots_magic.Chat.ask"' in api
