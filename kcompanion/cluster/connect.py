"""From the command line's options to a configured client of one API server."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from kcompanion import __version__
from kcompanion.cluster import execplugin, kubeconfig
from kcompanion.errors import BadKubeconfig, UsageError
from kcompanion.model.fields import map_at, text_at, texts_at
from kcompanion.model.snapshot import Origin

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True)
class Target:
    """What the command line says about which cluster to read, and as whom."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    user: str = ""
    server: str = ""
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    plugin_timeout: float = 60.0


@dataclass(frozen=True)
class Connection:
    """A client of the official library, where it points, and the headers that go with every request."""

    client: ApiClient
    origin: Origin
    headers: tuple[tuple[str, str], ...]  # pairs, because Impersonate-Group may occur several times
    client_certificate: Mapping[str, Any] | None


def connect(
    target: Target,
    environ: Mapping[str, str] | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> Connection:
    """Chooses a context (or the pod's service account) and builds the client; sends nothing yet.

    Raises:
        BadKubeconfig: there is no usable way to a cluster.
    """
    environ = os.environ if environ is None else environ
    return _from_choice(chosen(target, environ, service_account), target, environ)


def chosen(target: Target, environ: Mapping[str, str], service_account: Path = SERVICE_ACCOUNT) -> kubeconfig.Choice:
    """The context that is meant, or the pod's service account, with a server address that is one.

    Raises:
        BadKubeconfig: there is none.
    """
    config = kubeconfig.load(target.kubeconfig, environ)
    if config.contexts or config.clusters:
        choice = kubeconfig.choose(config, target.context, target.cluster, target.user)
    elif environ.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").is_file():
        choice = _in_cluster(environ, service_account)
    elif target.server:
        choice = kubeconfig.Choice("", "", "", "default", {}, {})
    else:
        raise BadKubeconfig(
            "no kubeconfig was found",
            "set KUBECONFIG or --kubeconfig, or start a cluster (`kind create cluster`)",
        )
    cluster = {**choice.cluster, "server": target.server} if target.server else choice.cluster
    _check_server(cluster)
    return replace(choice, cluster=cluster)


def with_token(connection: Connection, token: str) -> Connection:
    """The same API server, asked by the bearer of a token: without certificate, password or impersonation."""
    from copy import deepcopy  # noqa: PLC0415 - only for lessons on credentials

    from kubernetes.client import ApiClient  # noqa: PLC0415 - as below

    configuration = deepcopy(connection.client.configuration)
    configuration.cert_file = configuration.key_file = configuration.refresh_api_key_hook = None
    configuration.api_key, configuration.api_key_prefix = {"BearerToken": token}, {"BearerToken": "Bearer"}
    headers = tuple((name, value) for name, value in connection.headers if not name.startswith("Impersonate"))
    return Connection(ApiClient(configuration), connection.origin, headers, None)


def _in_cluster(environ: Mapping[str, str], folder: Path) -> kubeconfig.Choice:
    """The way every pod has: environment and service account, put as a context.

    Not by the client's own loader, which keeps the token file's last line break in the header.
    """
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
    namespace = folder / "namespace"
    return kubeconfig.Choice(
        context="in-cluster",
        cluster_name="in-cluster",
        user_name="in-cluster",
        namespace=namespace.read_text(encoding="utf-8").strip() if namespace.is_file() else "default",
        cluster={
            "server": f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
            "certificate-authority": str(folder / "ca.crt"),
        },
        user={"tokenFile": str(folder / "token")},
    )


def _from_choice(choice: kubeconfig.Choice, target: Target, environ: Mapping[str, str]) -> Connection:
    from kubernetes.client import Configuration  # noqa: PLC0415 - 0.4 s, so only when a cluster is read
    from kubernetes.config import ConfigException  # noqa: PLC0415 - as above
    from kubernetes.config.kube_config import KubeConfigLoader  # noqa: PLC0415 - as above

    cluster = dict(choice.cluster)
    user = resolved_user(choice.user, cluster, environ, target.plugin_timeout)
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    configuration = Configuration()
    try:
        KubeConfigLoader(document, config_base_path="").load_and_set(configuration)
    except (ConfigException, ValueError, KeyError, TypeError, OSError) as error:
        raise BadKubeconfig(
            f"the context {choice.context!r} cannot be used: {_first_line(error)}",
            "check its cluster and user in the kubeconfig",
        ) from error
    _like_kubectl(configuration, cluster)
    origin = Origin(
        context=choice.context,
        cluster=choice.cluster_name,
        server=str(cluster["server"]).rstrip("/"),
        namespace=choice.namespace,
        user=choice.user_name,
    )
    return _connection(configuration, origin, impersonation(user, target))


def _like_kubectl(configuration: Any, cluster: Mapping[str, Any]) -> None:  # noqa: ANN401 - lazy type
    """Proxies as Go's clients choose them, so that we reach what kubectl reaches."""
    if cluster.get("proxy-url"):
        configuration.no_proxy = ""  # the kubeconfig's own proxy is used whatever NO_PROXY says
    elif is_loopback(urlsplit(configuration.host).hostname or ""):
        configuration.proxy = None  # net/http never sends loopback to a proxy of the environment
    configuration.retries = False  # urllib3 would try three times and hide it; live.py retries
    configuration.connection_pool_maxsize = 16


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_server(cluster: Mapping[str, Any]) -> None:
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("http://", "https://")):
        raise BadKubeconfig(f"the cluster's server address {server!r} is not a URL", "check clusters[].cluster.server")


def resolved_user(
    entry: Mapping[str, Any], cluster: Mapping[str, Any], environ: Mapping[str, str], timeout: float
) -> dict[str, Any]:
    """The user entry with every indirection followed; it never silently becomes an anonymous one."""
    user = dict(entry)
    if isinstance(user.get("exec"), dict):
        plugin = user.pop("exec")
        return {**user, **execplugin.credentials(plugin, cluster, environ, timeout)}
    if provider := user.pop("auth-provider", None):
        user["token"] = text_at(provider, "config", "id-token")
        if not user["token"]:
            # gcp and azure left Kubernetes in 1.26; the client would go on without credentials
            raise BadKubeconfig(
                f"the auth-provider {text_at(provider, 'name')!r} of the kubeconfig is not supported",
                "write the user anew with an exec plugin (`aws`, `gcloud` and `az` have a command for it)",
            )
    if path := user.pop("tokenFile", None):
        # the client would keep the file's last line break in the Authorization header
        try:
            user["token"] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise BadKubeconfig(
                f"the token file {path} cannot be read: {_first_line(error)}",
                "check users[].user.tokenFile",
            ) from error
    return user


def impersonation(user: Mapping[str, Any], target: Target) -> tuple[tuple[str, str], ...]:
    """The Impersonate headers: of the command line, else of the user entry."""
    if target.as_groups and not target.as_user:
        raise UsageError("--as-group needs --as", "say whom to impersonate with --as")
    if target.as_user:
        groups = tuple(("Impersonate-Group", group) for group in target.as_groups)
        return (("Impersonate-User", target.as_user), *groups)
    if not (name := text_at(user, "as")):
        return ()
    headers = [("Impersonate-User", name)]
    headers += [("Impersonate-Group", group) for group in texts_at(user, "as-groups")]
    if uid := text_at(user, "as-uid"):
        headers.append(("Impersonate-Uid", uid))
    for key in map_at(user, "as-user-extra"):
        headers += [
            (f"Impersonate-Extra-{quote(key, safe='')}", value) for value in texts_at(user, "as-user-extra", key)
        ]
    return tuple(headers)


def _connection(
    configuration: Any,  # noqa: ANN401 - lazy type
    origin: Origin,
    acting_as: tuple[tuple[str, str], ...],
) -> Connection:
    from kubernetes.client import ApiClient  # noqa: PLC0415 - as above

    from kcompanion.model.certificates import facts_of_pem  # noqa: PLC0415 - as above

    try:
        _check_files(configuration)
        client = ApiClient(configuration)
        path = configuration.cert_file
        pem = Path(path).read_text(encoding="utf-8", errors="replace") if path else ""
    except Exception as error:  # ssl.SSLError, OSError, urllib3's: a bad certificate or proxy URL
        raise BadKubeconfig(
            f"the credentials of context {origin.context!r} cannot be used: {_first_line(error)}",
            "check the certificates and the proxy-url in the kubeconfig",
        ) from error
    found = facts_of_pem(pem) if pem else []
    headers = (("User-Agent", f"kcompanion/{__version__}"), *acting_as)
    return Connection(client, origin, headers, found[0] if found else None)


def _check_files(configuration: Any) -> None:  # noqa: ANN401 - lazy type
    """Loads CA and client certificate once, since the client would do so only with the first request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
