"""Where the API servers keep objects: the prefix of their keys, other etcds, and the etcd that can be asked.

Read from the command lines of the control plane's pods, where these can be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kcompanion.controlplane import components
from kcompanion.controlplane.flags import flags_of
from kcompanion.model.fields import condition, labels_of, text_at
from kcompanion.model.resources import PODS, Resource
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World
from kcompanion.trace.etcdkey import PREFIX

SYSTEM = "kube-system"
_SERVER = "kube-apiserver"


def prefix_of(world: World) -> str:
    """`--etcd-prefix` as far as pods of API servers were read already; wants nothing."""
    return prefix_from(_flags(world.seen(PODS, SYSTEM)))


def api_server_flags(world: World) -> Mapping[str, str] | None:
    """The flags of an API server, None when none of its pods can be seen (hosted, or no pods at all).

    Raises:
        NotKnown: the pods of kube-system could not be listed.
    """
    return _flags(world.all(PODS, SYSTEM))


def prefix_from(flags: Mapping[str, str] | None) -> str:
    """`--etcd-prefix` of these flags, else its default."""
    return (flags or {}).get("etcd-prefix") or PREFIX


def override_of(resource: Resource, flags: Mapping[str, str] | None) -> str:
    """The servers that `--etcd-servers-overrides` names for a resource (`group/resource#servers`), else nothing."""
    for entry in ((flags or {}).get("etcd-servers-overrides") or "").split(","):
        what, _, servers = entry.partition("#")
        if what == f"{resource.group}/{resource.plural}":
            return servers
    return ""


def etcd_pods(world: World) -> Sequence[Object]:
    """The running pods of etcd, those that are ready first.

    Raises:
        NotKnown: the pods of kube-system could not be listed.
    """
    found = [pod for pod in world.all(PODS, SYSTEM) if _is(pod, "etcd")]
    running = [pod for pod in found if text_at(pod, "status", "phase") == "Running"]
    return sorted(running, key=lambda pod: condition(pod, "Ready").get("status") != "True")


def reading_command(pod: Object, key: str) -> list[str]:
    """The words that read a key with the etcdctl inside the pod, with the certificates that its etcd was given."""
    given = flags_of(pod, "etcd")
    urls = [url for url in given.get("listen-client-urls", "").split(",") if url]
    local = next((url for url in urls if "127.0.0.1" in url or "localhost" in url), "")
    endpoint = local or given.get("advertise-client-urls", "").split(",")[0] or "https://127.0.0.1:2379"
    words = ["etcdctl", f"--endpoints={endpoint}"]
    for ours, theirs in (("cacert", "trusted-ca-file"), ("cert", "cert-file"), ("key", "key-file")):
        if given.get(theirs):
            words.append(f"--{ours}={given[theirs]}")
    return [*words, "get", key, "--write-out=json"]


def _flags(found: Sequence[Object]) -> Mapping[str, str] | None:
    return next((flags_of(pod, _SERVER) for pod in found if _is(pod, _SERVER)), None)


def _is(pod: Object, component: str) -> bool:
    return any(labels_of(pod).get(key) == value for key, value in components.BY_NAME[component].labels)
