"""What a controller asked of the API server of `kcompanion-conformance`, from the server's own log.

Counted where the requests arrive: alike for every controller, whatever its client does or says of itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from lab.cluster import CONFORMANCE

# The kubelet serves the node's /var/log; a range of bytes may be asked for.
LOG = f"/api/v1/nodes/{CONFORMANCE.nodes[0]}/proxy/logs/kubernetes/audit.log"


@dataclass(frozen=True)
class Asked:
    """One answered request."""

    verb: str  # get, list, create, update, patch, delete
    resource: str  # such as pods, replicasets/status, events
    namespace: str
    name: str
    code: int  # 0 if nothing came back
    at: str  # when it arrived, RFC 3339 with microseconds
    agent: str

    @property
    def writes(self) -> bool:
        """Whether it changes something beyond a lease."""
        return self.verb not in ("get", "list", "watch") and self.resource != "leases"


def requests(log: bytes) -> Iterator[Asked]:
    """The requests of a piece of the log; lines that are cut off are left out."""
    for line in log.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        about = event.get("objectRef") or {}
        sub = about.get("subresource")
        yield Asked(
            verb=event["verb"],
            resource=about.get("resource", "") + (f"/{sub}" if sub else ""),
            namespace=about.get("namespace", ""),
            name=about.get("name", ""),
            code=(event.get("responseStatus") or {}).get("code", 0),
            at=event.get("requestReceivedTimestamp", ""),
            agent=event.get("userAgent", ""),
        )
