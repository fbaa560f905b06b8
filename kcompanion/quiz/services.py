"""Questions about Services: whom they select, who is ready, ports, names, kube-proxy and DNS."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from kcompanion.controlplane import asks
from kcompanion.controlplane.kubeproxy import MODES
from kcompanion.model import resources as r
from kcompanion.model.fields import dig, labels_of, map_at, maps_at, name_of, namespace_of, text_at
from kcompanion.model.finding import Evidence
from kcompanion.model.snapshot import Object
from kcompanion.quiz.question import Ground, Question, kcompanion, kubectl, place, source

SERVICE_NAME = "kubernetes.io/service-name"


def _selects(service: Object, pod: Object) -> bool:
    selector = map_at(service, "spec", "selector")
    labels = labels_of(pod)
    same = namespace_of(service) == namespace_of(pod)
    return same and bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selected(ground: Ground) -> Question | None:
    everything = ground.all(r.PODS)
    service = ground.first(ground.all(r.SERVICES), lambda one: any(_selects(one, pod) for pod in everything))
    if service is None:
        return None
    those = [pod for pod in everything if _selects(service, pod)]
    words = ",".join(f"{key}={value}" for key, value in sorted(map_at(service, "spec", "selector").items()))
    others = [pod for pod in everything if not _selects(service, pod)]
    near = [pod for pod in others if namespace_of(pod) == namespace_of(service)]
    return ground.asked(
        "selected",
        map(place, those),
        map(place, near or others),
        values={"service": place(service), "selector": words, "count": len(those)},
        proof=[Evidence(source("Service", service), "spec.selector", words)],
        commands=[
            kcompanion("explain service", service),
            kubectl(f"get pods -n {quote(namespace_of(service))} -l {quote(words)}"),
        ],
    )


def serving(ground: Ground) -> Question | None:
    """Which pods get a Service's traffic; only where every endpoint says whether it is ready, and some are not."""
    found = []
    for service in ground.all(r.SERVICES):
        ready, waiting = _endpoints(ground, service)
        if ready and waiting and not dig(service, "spec", "publishNotReadyAddresses"):
            found.append((service, ready, waiting))
    chosen = ground.one(found)
    if chosen is None:
        return None
    service, ready, waiting = chosen
    return ground.asked(
        "serving",
        sorted(ready),
        sorted(waiting),
        values={"service": place(service), "count": len(ready)},
        proof=[
            Evidence(
                f"EndpointSlices of {place(service)}", "endpoints[].conditions.ready=true", ", ".join(sorted(ready))
            ),
        ],
        commands=[
            kcompanion("explain service", service),
            kubectl(
                f"get endpointslices -n {quote(namespace_of(service))} -l {SERVICE_NAME}={quote(name_of(service))}",
                shown="yaml",
            ),
        ],
    )


def _endpoints(ground: Ground, service: Object) -> tuple[set[str], set[str]]:
    """The pods behind a Service, ready and not."""
    ready: set[str] = set()
    waiting: set[str] = set()
    for piece in ground.all(r.ENDPOINTSLICES):
        if namespace_of(piece) != namespace_of(service) or labels_of(piece).get(SERVICE_NAME) != name_of(service):
            continue
        for endpoint in maps_at(piece, "endpoints"):
            if not text_at(endpoint, "targetRef", "name"):
                continue
            pod = f"{namespace_of(piece)}/{text_at(endpoint, 'targetRef', 'name')}"
            (ready if map_at(endpoint, "conditions").get("ready") is True else waiting).add(pod)
    return ready, waiting - ready


def port(ground: Ground) -> Question | None:
    ports = [(one, row) for one in ground.all(r.SERVICES) for row in maps_at(one, "spec", "ports") if _translated(row)]
    fitting = [(one, row) for one, row in ports if map_at(one, "spec", "selector") and _address(one)]
    telling = [(one, row) for one, row in fitting if row["targetPort"] != row["port"]]
    chosen = ground.one(telling or fitting)
    if chosen is None:
        return None
    service, row = chosen
    right, given = row["targetPort"], row["port"]
    return ground.asked(
        "port",
        [right],
        [
            number
            for number in (given, 80, 443, 8080, 10250, 6443, row.get("nodePort"))
            if isinstance(number, int) and number not in (right, 0)
        ],
        values={"service": place(service), "port": given, "target": right},
        proof=[Evidence(source("Service", service), f"spec.ports[{given}].targetPort", str(right))],
        commands=[kcompanion("explain service", service), kubectl("get service", service, "jsonpath={.spec.ports}")],
    )


def _translated(row: Mapping[str, object]) -> bool:
    return isinstance(row.get("targetPort"), int) and isinstance(row.get("port"), int)


def service_name(ground: Ground) -> Question | None:
    """By what name it is reached from another namespace, where no other Service answers to the wrong ones."""
    chosen = ground.one(ground.all(r.SERVICES))
    if chosen is None:
        return None
    name, space = name_of(chosen), namespace_of(chosen)
    taken = {f"{name_of(one)}.{namespace_of(one)}" for one in ground.all(r.SERVICES)}
    other = "default" if space != "default" else "kube-system"
    wrong = [f"{space}.{name}", f"{name}.{other}", f"{space}/{name}", name]
    return ground.asked(
        "service_name",
        [f"{name}.{space}"],
        [one for one in wrong if one not in taken],
        values={"service": place(chosen), "name": name, "namespace": space},
        proof=[
            Evidence(source("Service", chosen), "metadata.name", name),
            Evidence(source("Service", chosen), "metadata.namespace", space),
        ],
        commands=[kcompanion("explain service", chosen), kubectl("get service", chosen)],
    )


def dns_address(ground: Ground) -> Question | None:
    services = ground.all(r.SERVICES)
    dns = [one for one in services if namespace_of(one) == asks.SYSTEM and labels_of(one).get("k8s-app") == "kube-dns"]
    if len(dns) != 1 or not _address(dns[0]):
        return None
    right = _address(dns[0])
    behind = [text_at(pod, "status", "podIP") for pod in ground.all(r.PODS) if _selects(dns[0], pod)]
    hosts = [
        text_at(one, "address")
        for node in ground.all(r.NODES)
        for one in maps_at(node, "status", "addresses")
        if one.get("type") == "InternalIP"
    ]
    return ground.asked(
        "dns_address",
        [right],
        [*filter(None, map(_address, services)), *filter(None, behind), *hosts],
        values={"address": right, "service": place(dns[0])},
        proof=[Evidence(source("Service", dns[0]), "spec.clusterIP", right)],
        commands=[kcompanion("addons"), kubectl("get service", dns[0])],
    )


def _address(service: Object) -> str:
    found = text_at(service, "spec", "clusterIP")
    return "" if found == "None" else found


def proxy_mode(ground: Ground) -> Question | None:
    ground.read(asks.CONFIGMAPS, asks.DAEMONSETS, asks.PODS)
    proxy = ground.plane.network.kube_proxy
    if proxy.mode not in MODES or proxy.source is None:
        return None
    return ground.asked(
        "proxy_mode",
        [proxy.mode],
        [mode for mode in MODES if mode != proxy.mode],
        values={"mode": proxy.mode},
        proof=[proxy.source],
        commands=[
            kcompanion("controlplane network"),
            kubectl("get configmap kube-proxy -n kube-system", shown="yaml"),
        ],
    )
