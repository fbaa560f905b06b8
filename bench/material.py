"""The certificates of a kubeconfig, for a client of our own."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import yaml


def client_files(kubeconfig: Path, folder: Path) -> tuple[str, ssl.SSLContext]:
    """The server's URL and a TLS context with the client certificate of the first user (kind writes just one)."""
    document = yaml.safe_load(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    for name, data in (
        ("ca", cluster["certificate-authority-data"]),
        ("crt", user["client-certificate-data"]),
        ("key", user["client-key-data"]),
    ):
        (folder / name).write_bytes(base64.b64decode(data))
    context = ssl.create_default_context(cafile=str(folder / "ca"))
    context.load_cert_chain(folder / "crt", folder / "key")
    return str(cluster["server"]), context
