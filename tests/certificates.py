"""Certificates for servers in tests, made by the program openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

NAMES = "subjectAltName=IP:127.0.0.1,DNS:example.test"
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_certificates(folder: Path) -> Path:
    """Make `ca.pem`, `server.pem` (127.0.0.1 and example.test) and `expired.pem` signed by it, and `self.pem`."""
    (folder / "leaf").write_text(
        f"{NAMES}\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    _openssl(folder, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test CA",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    for name, days in (("server", "2"), ("expired", "0")):
        _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                 "-out", f"{name}.pem", "-days", days, "-extfile", "leaf")  # fmt: skip
    _openssl(folder, "req", "-x509", *_KEY, "-keyout", "self.key", "-out", "self.pem", "-days", "2",
             "-subj", "/CN=self", "-addext", NAMES)  # fmt: skip
    return folder


def tls(folder: Path, name: str) -> ssl.SSLContext:
    """Return the context of a server with the certificate `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=60)
