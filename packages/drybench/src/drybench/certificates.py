"""Whom programs in containers trust: whom this machine trusts, and the certificates that the keeper has named."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import structlog

log = structlog.get_logger("containers")

USUAL = tuple(
    map(Path, ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"))
)


def bundle(extra: Path | None, file: Path) -> Path | None:
    """Both in one file, for programs take one file only. None: they trust whom their image does."""
    if extra is None:
        return None
    try:
        content = b"\n".join((_usual().read_bytes(), extra.read_bytes()))
        if not file.exists() or file.read_bytes() != content:  # containers that run have the old one mounted
            new = file.with_name(f"{file.name}.new")
            new.write_bytes(content)
            new.chmod(0o644)
            new.replace(file)
        return file
    except OSError as problem:
        log.warning("containers do not trust the certificates of `extra_ca`", why=str(problem))
        return None


def _usual() -> Path:
    said = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return Path(said) if said else next((file for file in USUAL if file.exists()), USUAL[0])
