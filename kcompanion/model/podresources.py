"""What pods ask of a node: requests and limits added up as `kubectl describe node` does.

Rules of k8s.io/component-helpers/resource (PodRequests, PodLimits): containers and sidecars (init containers with
restartPolicy Always) add up; an ordinary init container counts only if it, with the sidecars started before it, needs
more than all of those; pod-level resources take the place of the sum; the RuntimeClass's overhead comes on top, for
limits only where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kcompanion.model.fields import condition, map_at, maps_at, text_at
from kcompanion.model.quantities import parse_quantity
from kcompanion.model.snapshot import Object

Amounts = dict[str, Decimal]
ZERO = Decimal(0)
ENDED = ("Succeeded", "Failed")
_STATUSES = ("containerStatuses", "initContainerStatuses")
_POD_LEVEL = ("cpu", "memory")  # and hugepages-*: IsSupportedPodLevelResource
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi")


def is_running(pod: Object) -> bool:
    """Whether the pod still holds its resources on the node (pending, running or unknown)."""
    return text_at(pod, "status", "phase") not in ENDED


def requests(pod: Object) -> Amounts:
    """What the scheduler counts for this pod."""
    total = _aggregated(pod, "requests")
    _set_pod_level(total, pod, "requests")
    _add(total, map_at(pod, "spec", "overhead"))
    return total


def held(pod: Object) -> Amounts:
    """What the scheduler counts for a pod that is on a node: while it is resized, the most of old and new.

    Follows determineEffectiveRequests of k8s.io/component-helpers/resource.
    """
    statuses = {text_at(s, "name"): s for key in _STATUSES for s in maps_at(pod, "status", key) if s.get("resources")}
    if not statuses:
        return requests(pod)
    infeasible = text_at(condition(pod, "PodResizePending"), "reason") == "Infeasible"

    def effective(container: Mapping[str, Any]) -> Amounts:
        spec = amounts(map_at(container, "resources", "requests"))
        status = statuses.get(text_at(container, "name"))
        if status is None:
            return spec
        total = {} if infeasible else spec
        _raise(total, amounts(map_at(status, "resources", "requests")))
        _raise(total, amounts(map_at(status, "allocatedResources")))
        return total

    total = _added_up(pod, effective)
    _set_pod_level(total, pod, "requests")
    _add(total, map_at(pod, "spec", "overhead"))
    return total


def limits(pod: Object) -> Amounts:
    """What the pod may use at most."""
    total = _aggregated(pod, "limits")
    _set_pod_level(total, pod, "limits")
    overhead = map_at(pod, "spec", "overhead")
    _add(total, {name: overhead[name] for name in overhead if total.get(name)})
    return total


def add_up(parts: Iterable[Mapping[str, Decimal]]) -> Amounts:
    """The sum of amounts by resource."""
    total: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, ZERO) + amount
    return total


def amounts(listed: Mapping[str, Any]) -> Amounts:
    """A ResourceList as numbers; what is no quantity is left out."""
    total: Amounts = {}
    _add(total, listed)
    return total


def percent(part: Decimal, whole: Decimal) -> int | None:
    """Whole percent, cut off as kubectl does; None of nothing."""
    return int(part * 100 / whole) if whole else None


def shown(resource: str, amount: Decimal) -> str:
    """The amount in Kubernetes' spelling: `860m`, `2`, `260Mi`, `110`."""
    if amount != amount.to_integral_value():
        return f"{int((amount * 1000).to_integral_value())}m"
    whole = int(amount)
    if not resource.startswith(("memory", "ephemeral-storage", "hugepages-")):
        return str(whole)
    suffix = ""
    for unit in _BINARY:
        if not whole or whole % 1024:
            break
        whole, suffix = whole // 1024, unit
    return f"{whole}{suffix}"


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal | None:
    return parse_quantity(text)


def _add(total: Amounts, listed: Mapping[str, Any]) -> None:
    for name, text in listed.items():
        amount = _number(str(text))
        if amount is not None:
            total[name] = total.get(name, ZERO) + amount


def _aggregated(pod: Object, which: str) -> Amounts:
    return _added_up(pod, lambda container: amounts(map_at(container, "resources", which)))


def _added_up(pod: Object, of: Callable[[Mapping[str, Any]], Amounts]) -> Amounts:
    total = add_up(of(container) for container in maps_at(pod, "spec", "containers"))
    sidecars: Amounts = {}
    peak: Amounts = {}  # the most that any moment of initialisation needs
    for container in maps_at(pod, "spec", "initContainers"):
        asked = of(container)
        if container.get("restartPolicy") == "Always":
            total = add_up([total, asked])
            sidecars = add_up([sidecars, asked])
            _raise(peak, sidecars)
        else:
            _raise(peak, add_up([sidecars, asked]))
    _raise(total, peak)
    return total


def _raise(total: Amounts, least: Mapping[str, Decimal]) -> None:
    for name, amount in least.items():
        total[name] = max(total.get(name, ZERO), amount)


def _set_pod_level(total: Amounts, pod: Object, which: str) -> None:
    for name, text in map_at(pod, "spec", "resources", which).items():
        amount = _number(str(text))
        if amount is not None and (name in _POD_LEVEL or name.startswith("hugepages-")):
            total[name] = amount
