"""The second pass of anonymizing: one answer written anew, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from kcompanion.cluster.addresses import Addresses
from kcompanion.cluster.pseudonyms import Pseudonyms, is_public_domain
from kcompanion.model.fields import name_of, namespace_of

_PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----\s*|\Z)", re.DOTALL)
_PEM_BASE64 = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=\s]{40,}")
_LEFT_OUT = "<scrubbed certificate>"
_EMAIL = re.compile(r"[\w.+-]+@([\w-]+\.)+[a-z]{2,}")
_CLUSTER_NAME = re.compile(r"(\bclusterName: |--cluster-name[= ])([\w.-]+)")
_URL_HOST = re.compile(r"(?<=://)[a-z0-9-]+(?:\.[a-z0-9-]+)+")
# Words of the API: fields whose values are never names of the owner's.
_API_FIELDS = """apiVersion type reason status phase operator effect protocol scope restartPolicy dnsPolicy uid
    resourceVersion imagePullPolicy terminationMessagePath terminationMessagePolicy verbs architecture
    operatingSystem kubeletVersion kubeProxyVersion containerRuntimeVersion osImage kernelVersion"""
_OF_THE_API = frozenset(_API_FIELDS.split())
_IDENTITIES = frozenset({"machineID", "systemUUID", "bootID", "providerID"})
_KEYED_BY_NAME = frozenset({"labels", "annotations", "matchLabels", "nodeSelector", "selector", "fieldsV1", "data"})
_OWN_KEYS = frozenset({"data", "stringData", "binaryData", "f:data", "f:stringData", "f:binaryData", "f:env"})
_FIELD_KEY = re.compile(r'(f:|k:\{"name":")(.+?)("\}|)')
# Labels and annotations whose values only repeat what the object is.
_TELLING_NOTHING = ("pod-template-hash", "controller-revision-hash", "pod-template-generation")
_PLAIN_VALUE = re.compile(r"(?:[0-9.]+|v?[0-9][\w.]*|true|false|linux|windows|amd64|arm64|[A-Z][a-z]+|)")


class Rewriter:
    """Rewrites texts, answers and certificates' facts with one set of pseudonyms."""

    def __init__(self, names: Pseudonyms, addresses: Addresses, is_own: Callable[[str], bool]) -> None:
        self._names = names
        self._addresses = addresses
        self._is_own = is_own

    def text(self, value: str) -> str:
        """A sentence, address or name without own names, addresses, hosts and certificates."""
        value = _PEM_BASE64.sub(_LEFT_OUT, _PEM.sub(_LEFT_OUT, value))
        value = _EMAIL.sub("someone@example.org", value)
        value = _CLUSTER_NAME.sub(lambda match: match[1] + self._names.value(match[2], "cluster"), value)
        value = self._names.text(value)
        value = _URL_HOST.sub(self._host, value)
        return self._addresses.text(value)

    def word(self, value: str) -> str:
        """A word that is replaced only as a whole: a custom resource's kind, a label's value."""
        return self._names.given.get(value, value)

    def answer(self, body: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
        """An answer's body: objects with their own rules, JSON texts inside out, other texts as sentences."""
        if isinstance(body, str):
            return self._document(body)
        if isinstance(body, list):
            return [self._object(item, kind) for item in body]
        return self._object(body, kind) if body is not None else None

    def facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """A certificate's facts; the hash of its key would give the cluster away."""
        new: dict[str, Any] = self._node(dict(facts), own=False)
        if "publicKeyHash" in new:
            new["publicKeyHash"] = self._names.value(str(facts["publicKeyHash"]), "hash")
        return new

    def _document(self, body: str) -> str:
        try:
            document = json.loads(body)
        except ValueError:
            return self._addresses.text(_URL_HOST.sub(self._host, body))  # check names of /readyz are no own names
        return json.dumps(self._node(document, own=True)) if isinstance(document, dict) else body

    def _object(self, item: Any, kind: str) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(item, dict):
            return item
        if "publicKeyHash" in item:
            return self.facts(item)
        # what has no namespace is a node, say: its own labels are the owner's, the API's stay
        own = self._is_own(namespace_of(item)) or (kind == "Namespace" and self._is_own(name_of(item)))
        return self._node(item, own=own)

    def _node(self, node: Any, *, own: bool, key: str = "") -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, str):
            return self._string(node, key)
        if isinstance(node, list):
            if own and key in ("args", "command"):
                return [f"<scrubbed {len(str(word))} bytes>" for word in node]
            return [self._node(entry, own=own, key=key) for entry in node]
        if not isinstance(node, dict):
            return node
        return {self._key(name, key, own=own): self._field(name, value, key, own=own) for name, value in node.items()}

    def _field(self, name: str, value: Any, parent: str, *, own: bool) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, str) and parent in ("labels", "matchLabels", "nodeSelector", "selector"):
            return self._label(name, value, own=own)
        if isinstance(value, str) and parent == "annotations":
            return self._annotation(name, value, own=own)
        if name == "names" and isinstance(value, list) and parent == "images":
            return [self._names.image(text) for text in value if isinstance(text, str)]
        if own and name == "name" and parent == "env" and isinstance(value, str):
            return self._names.value(value, "key")
        return self._node(value, own=own, key=name)

    def _key(self, name: str, parent: str, *, own: bool) -> str:
        if own and parent in _OWN_KEYS:
            return self._own_key(name)
        mark = "f:" if name.startswith("f:") else ""  # managedFields name a field so; its domain is what follows
        new = mark + self._names.key(name.removeprefix(mark)) if "/" in name else name
        return self.text(new) if parent in _KEYED_BY_NAME or ':{"' in name else new

    def _own_key(self, name: str) -> str:
        """A key the owner chose: of a ConfigMap's or Secret's data, or of an env entry in managedFields."""
        if found := _FIELD_KEY.fullmatch(name):
            return f"{found[1]}{self._names.value(found[2], 'key')}{found[3]}"
        return name if name == "." else self._names.value(name, "key")

    def _string(self, value: str, key: str) -> str:
        if key in _OF_THE_API:
            return value if key != "apiVersion" else self.text(value)
        if key in ("image", "imageID"):
            return self._names.image(value)
        if key in _IDENTITIES:
            scheme, mark, _ = value.partition("://")
            return scheme + mark + self._names.value(value, key.lower())
        # a whole value that is known otherwise than in texts: a custom kind, a label's value in an expression
        return self._names.given.get(value) or self.text(value)

    def _label(self, name: str, value: str, *, own: bool) -> str:
        domain = name.partition("/")[0] if "/" in name else ""
        changed = self.text(value)
        if self._names.knows(value) or _PLAIN_VALUE.fullmatch(value) or name.endswith(_TELLING_NOTHING):
            return changed
        # labels of nodes and of the system's objects say what they are; an own domain's say who owns them. Of a value
        # in which a name is just a part the rest is somebody's own too.
        place = domain.endswith("topology.kubernetes.io")
        theirs = own or place or (domain and not is_public_domain(domain))
        return self._names.value(value) if theirs else changed

    def _annotation(self, name: str, value: str, *, own: bool) -> str:
        domain = name.partition("/")[0] if "/" in name else ""
        if (own and not is_public_domain(domain)) or (domain and not is_public_domain(domain)):
            return value if _PLAIN_VALUE.fullmatch(value) else self._names.value(value)
        return self.text(value)

    def _host(self, match: re.Match[str]) -> str:
        host = match[0]
        known = is_public_domain(host) or host.endswith((".svc", ".example")) or host.replace(".", "").isdecimal()
        return host if known else self._names.value(host, "host")
