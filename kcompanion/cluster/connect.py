"""From the command line's options to a configured client of one API server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kcompanion import __version__
from kcompanion.cluster import execplugin, kubeconfig
from kcompanion.errors import BadKubeconfig, UsageError
from kcompanion.model.snapshot import Origin

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


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


@dataclass(frozen=True)
class Connection:
    """A client of the official library, where it points, and the headers that go with every request."""

    client: ApiClient
    origin: Origin
    headers: Mapping[str, str]
    groups: tuple[str, ...]  # Impersonate-Group may occur several times, so it is not one of `headers`
    client_certificate: Mapping[str, Any] | None


def connect(target: Target, environ: Mapping[str, str] | None = None) -> Connection:
    """Chooses a context (or the pod's service account) and builds the client; sends nothing yet.

    Raises:
        BadKubeconfig: there is no usable way to a cluster.
    """
    environ = os.environ if environ is None else environ
    config = kubeconfig.load(target.kubeconfig, environ)
    if not config.contexts and not config.clusters:
        if environ.get("KUBERNETES_SERVICE_HOST") and (_SERVICE_ACCOUNT / "token").is_file():
            return _in_cluster(target)
        raise BadKubeconfig(
            "no kubeconfig was found",
            "set KUBECONFIG or --kubeconfig, or start a cluster (`kind create cluster`)",
        )
    return _from_choice(
        kubeconfig.choose(config, target.context, target.cluster, target.user), target, environ
    )


def _from_choice(
    choice: kubeconfig.Choice, target: Target, environ: Mapping[str, str]
) -> Connection:
    from kubernetes.client import Configuration  # noqa: PLC0415 - 0.4 s, so only when a cluster is read
    from kubernetes.config import ConfigException  # noqa: PLC0415 - as above
    from kubernetes.config.kube_config import KubeConfigLoader  # noqa: PLC0415 - as above

    cluster = dict(choice.cluster)
    if target.server:
        cluster["server"] = target.server
    _check_server(cluster)
    user = _resolved_user(choice, environ)
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
    origin = Origin(
        context=choice.context,
        cluster=choice.cluster_name,
        server=str(cluster["server"]).rstrip("/"),
        namespace=choice.namespace,
        user=choice.user_name,
    )
    return _connection(configuration, origin, target)


def _check_server(cluster: Mapping[str, Any]) -> None:
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("http://", "https://")):
        raise BadKubeconfig(
            f"the cluster's server address {server!r} is not a URL", "check clusters[].cluster.server"
        )


def _resolved_user(choice: kubeconfig.Choice, environ: Mapping[str, str]) -> dict[str, Any]:
    user = dict(choice.user)
    if isinstance(user.get("exec"), dict):
        plugin = user.pop("exec")
        return {**user, **execplugin.credentials(plugin, choice.cluster, environ)}
    if path := user.pop("tokenFile", None):
        # the client would keep the file's last line break in the Authorization header
        try:
            user["token"] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadKubeconfig(
                f"the token file {path} cannot be read: {error.strerror}", "check users[].user.tokenFile"
            ) from error
    return user


def _in_cluster(target: Target) -> Connection:
    from kubernetes.client import Configuration  # noqa: PLC0415 - as above
    from kubernetes.config import ConfigException, load_incluster_config  # noqa: PLC0415 - as above

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException as error:
        raise BadKubeconfig(
            f"the service account of this pod cannot be used: {_first_line(error)}",
            "check automountServiceAccountToken",
        ) from error
    if target.server:
        configuration.host = target.server
    namespace = _SERVICE_ACCOUNT / "namespace"
    origin = Origin(
        context="in-cluster",
        cluster="in-cluster",
        server=str(configuration.host),
        namespace=namespace.read_text(encoding="utf-8").strip() if namespace.is_file() else "default",
    )
    return _connection(configuration, origin, target)


def _connection(configuration: Any, origin: Origin, target: Target) -> Connection:  # noqa: ANN401 - lazy type
    from kubernetes.client import ApiClient  # noqa: PLC0415 - as above

    from kcompanion.model.certificates import facts_of_pem  # noqa: PLC0415 - as above

    configuration.retries = False  # urllib3 would try three times and hide it; live.py retries
    configuration.connection_pool_maxsize = 16
    try:
        client = ApiClient(configuration)
    except Exception as error:  # ssl.SSLError, OSError, urllib3's: a bad certificate or proxy URL
        raise BadKubeconfig(
            f"the credentials of context {origin.context!r} cannot be used: {_first_line(error)}",
            "check the certificates and the proxy-url in the kubeconfig",
        ) from error
    headers = {"User-Agent": f"kcompanion/{__version__}"}
    if target.as_user:
        headers["Impersonate-User"] = target.as_user
    elif target.as_groups:
        raise UsageError("--as-group needs --as", "say whom to impersonate with --as")
    certificate = None
    if path := configuration.cert_file:
        found = facts_of_pem(Path(path).read_text(encoding="utf-8", errors="replace"))
        certificate = found[0] if found else None
    return Connection(client, origin, headers, target.as_groups, certificate)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
