"""Who we are and where the API server is, from kubeconfig, --context or the pod's service account.

Choosing and resolving (exec plugins, token files, impersonation) is kcompanion's own code; here it becomes what
aiohttp wants. The official client is not loaded: that would cost half a second and 40 MB.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from kcompanion import __version__
from kcompanion.cluster.connect import Target, chosen, impersonation, is_loopback, resolved_user
from kcompanion.errors import BadKubeconfig
from kcompanion.model.fields import text_at

AGAIN = 60.0  # seconds after which files are read anew: a pod's token is replaced while it runs
AT_MOST = 5.0  # not more often than this, however often the server says 401


@dataclass(frozen=True, slots=True)
class Login:
    """One API server and what proves who we are."""

    server: str
    headers: tuple[tuple[str, str], ...]  # pairs, because Impersonate-Group may occur several times
    context: ssl.SSLContext | None
    server_name: str | None  # whom the certificate has to name, if not the host of the address
    proxy: str | None
    rotates: bool  # its token is in a file
    namespace: str
    user: Mapping[str, Any]  # as resolved, for kopf's own connection
    cluster: Mapping[str, Any]
    trust: tuple[str, ...] = field(default=(), repr=False)  # what the context is made of


def log_in(target: Target, environ: Mapping[str, str] | None = None) -> Login:
    """Follows every indirection once; may run an exec plugin.

    Raises:
        BadKubeconfig: there is no usable way to a cluster.
    """
    environ = os.environ if environ is None else environ
    choice = chosen(target, environ)
    user = resolved_user(choice.user, choice.cluster, environ, target.plugin_timeout)
    agent = ("User-Agent", f"kcompanion-operator/{__version__}")
    server = str(choice.cluster["server"]).rstrip("/")
    try:
        trust = _trust(choice.cluster, user)
        context = _tls(choice.cluster, *trust) if server.startswith("https://") else None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise BadKubeconfig(
            f"the credentials of context {choice.context!r} cannot be used: {error}",
            "check the certificates in the kubeconfig",
        ) from error
    return Login(
        server=server,
        headers=(agent, *_authorization(user), *impersonation(user, target)),
        context=context,
        server_name=text_at(choice.cluster, "tls-server-name") or None,
        proxy=_proxy(server, choice.cluster),
        rotates=bool(choice.user.get("tokenFile")),
        namespace=choice.namespace,
        user=user,
        cluster=choice.cluster,
        trust=trust,
    )


class Logins:
    """The login that is valid now: read anew when it grows old, or when the server does not know it any more."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._current = log_in(target)
        self._read = time.monotonic()
        self._lock = asyncio.Lock()

    @property
    def current(self) -> Login:
        return self._current

    def again(self) -> Login:
        """A login of one's own, for somebody else's loop."""
        return log_in(self._target)

    async def fresh(self, *, refused: Login | None = None) -> Login:
        """The current login; a new one if the server refused it, or if its token comes from a file."""
        age = time.monotonic() - self._read
        old = age > AGAIN and self._current.rotates
        if not (old or (refused is self._current and age > AT_MOST)):
            return self._current
        async with self._lock:
            if time.monotonic() - self._read >= age:
                self._read = time.monotonic()
                self._current = _kept(self._current, await asyncio.to_thread(log_in, self._target))
        return self._current


def _kept(old: Login, new: Login) -> Login:
    """The new login; with the old context if that would be the same, so that connections can be used on."""
    same = (old.server, old.trust, old.cluster) == (new.server, new.trust, new.cluster)
    return replace(new, context=old.context) if same else new


def _authorization(user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if token := text_at(user, "token"):
        return (("Authorization", f"Bearer {token}"),)
    if name := text_at(user, "username"):
        pair = base64.b64encode(f"{name}:{text_at(user, 'password')}".encode()).decode()
        return (("Authorization", f"Basic {pair}"),)
    return ()


class ResumingContext(ssl.SSLContext):
    """Client TLS that takes up an earlier session: a third less work for both sides of each further connection.

    asyncio has no way to say so, but asks the context for each connection; there the session can be put in.
    """

    _last: ssl.SSLObject | None = None
    _known: ssl.SSLSession | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        if self._last is not None:  # kept, since tickets come only after its handshake
            with suppress(ValueError):  # it has not begun to shake hands
                self._known = self._last.session or self._known
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session or self._known)
        self._last = made
        return made


def _trust(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> tuple[str, str, str]:
    return pem(cluster, "certificate-authority"), pem(user, "client-certificate"), pem(user, "client-key")


def _tls(cluster: Mapping[str, Any], authority: str, certificate: str, key: str) -> ssl.SSLContext:
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies, and the name too
    if authority:
        context.load_verify_locations(cadata=authority)
    else:
        context.load_default_certs()
    if cluster.get("insecure-skip-tls-verify") is True:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate and key:
        # ssl takes certificates from files only; this one is gone before anybody else could look
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
            both.write(f"{certificate}\n{key}\n")
            both.flush()
            context.load_cert_chain(both.name)
    return context


def pem(entry: Mapping[str, Any], name: str) -> str:
    """What a kubeconfig gives as data or as the name of a file."""
    if data := text_at(entry, f"{name}-data"):
        return base64.b64decode(data).decode()
    path = text_at(entry, name)
    return Path(path).read_text(encoding="utf-8") if path else ""


def _proxy(server: str, cluster: Mapping[str, Any]) -> str | None:
    """The proxy Go's clients would choose: the kubeconfig's own, else the environment's, never for loopback."""
    if own := text_at(cluster, "proxy-url"):
        return own
    url = urlsplit(server)
    host = url.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies_environment().get(url.scheme)
