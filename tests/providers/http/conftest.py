import shutil
from pathlib import Path

import pytest

from tests.certificates import make_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Path:
    """Return a folder of certificates, see `make_certificates`."""
    if not shutil.which("openssl"):
        pytest.skip("the program openssl makes the certificates")
    return make_certificates(tmp_path_factory.mktemp("certificates"))
