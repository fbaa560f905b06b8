"""`addons`: the inventory, then the DNS, the network, storage and the way in, then what is absent."""

from __future__ import annotations

from collections.abc import Sequence

from kcompanion.controlplane.addons import Addon, Addons
from kcompanion.controlplane.dns import Dns
from kcompanion.controlplane.kubeproxy import REPLACED
from kcompanion.controlplane.network import Network
from kcompanion.controlplane.rollout import Rollout
from kcompanion.model.finding import Evidence, Status
from kcompanion.model.message import Message, say
from kcompanion.report.document import Block, Cell, Facts, Lesson, Lines, Section, Table, columns


def verdict(addons: Addons) -> Message:
    """DNS, network and Services in one sentence."""
    network = addons.network
    parts = (addons.dns.status, network.cni.status, network.kube_proxy.status)
    unseen = addons.status is Status.OK and Status.NOT_VISIBLE in parts
    return say(
        "addons.verdict.partly" if unseen else f"addons.verdict.{addons.status.value}",
        dns=addons.dns.product or say("addons.none"),
        cni=network.cni.name or say("addons.unrecognised"),
        proxy=_proxy_short(network),
    )


def sections(addons: Addons, *, explain: bool = False) -> list[Section]:
    """Everything, the essential first."""
    return [
        Section(
            say("addons.section.inventory"),
            [inventory(addons), *_lesson("inventory", on=explain)],
        ),
        dns_section(addons.dns, explain=explain),
        network_section(addons.network, explain=explain),
        *storage_section(addons, explain=explain),
        *entrance_section(addons, explain=explain),
        *_minikube(addons),
        *absent_section(addons.found, explain=explain),
    ]


def inventory(addons: Addons) -> Table:
    """Everything installed, one row each."""
    dns, cni, proxy = addons.dns, addons.network.cni, addons.network.kube_proxy
    rows: list[list[Cell]] = [
        _row("dns", dns.product, dns.version, dns.rollout, dns.status, dns.evidence),
        _row("cni", cni.name, cni.version, cni.rollout, cni.status, cni.evidence),
        _row(
            "proxy",
            _proxy_short(addons.network),
            proxy.version,
            proxy.rollout,
            proxy.status,
            (proxy.source,) if proxy.source else (),
        ),
    ]
    for addon in addons.found:
        if addon.present:
            rows.append(
                _row(
                    addon.category,
                    addon.product,
                    addon.version,
                    addon.rollout,
                    addon.status,
                    addon.evidence,
                )
            )
    return Table(columns("ADD-ON PRODUCT VERSION PODS STATUS +EVIDENCE"), rows)


def _row(
    category: str,
    product: Cell,
    version: str,
    rollout: Rollout | None,
    status: Status | None,
    evidence: Sequence[Evidence],
) -> list[Cell]:
    proof = evidence[-1] if evidence else None
    told = f"{proof.source} {proof.path} = {proof.value}" if proof else None
    pods = rollout.text if rollout else None
    return [say(f"addons.category.{category}"), product, version, pods, status, told]


def dns_section(dns: Dns, *, explain: bool = False) -> Section:
    """What answers names, where, and with which plugins."""
    if not dns.product:
        return Section(say("addons.section.dns"), [Lines((say("addons.dns_none"),))], dns.status)
    zones = ", ".join(zone for block in dns.blocks for zone in block.zones)
    plugins = " ".join(dict.fromkeys(name for block in dns.blocks for name, _ in block.plugins))
    forward = [a for block in dns.blocks if (a := block.arguments("forward")) is not None]
    domain = [a for block in dns.blocks if (a := block.arguments("kubernetes")) is not None]
    pairs: list[tuple[Message, Cell]] = [
        (say("addons.fact.service"), ", ".join(dns.service_ips) or None),
        (say("addons.fact.endpoints"), dns.endpoints),
        (say("addons.fact.nodes"), ", ".join(sorted(set(dns.nodes))) or None),
        (say("addons.fact.domain"), domain[0][0] if domain and domain[0] else None),
        (say("addons.fact.zones"), zones or None),
        (say("addons.fact.plugins"), plugins or None),
        (say("addons.fact.forward"), " ".join(forward[0][1:]) if forward else None),
        (say("addons.fact.kubelet_dns"), ", ".join(dns.kubelet_servers) or None),
    ]
    blocks: list[Block] = [Facts(pairs), *_lesson("dns", on=explain)]
    return Section(say("addons.section.dns"), blocks, dns.status)


def network_section(network: Network, *, explain: bool = False) -> Section:
    """Plugin, NetworkPolicy and kube-proxy; also a part of other views."""
    cni, proxy = network.cni, network.kube_proxy
    name: Cell = cni.name or say("addons.unrecognised")
    if cni.name:
        name = say(f"addons.confidence.{cni.confidence}", name=cni.name)
    elif cni.suspected:
        name = say("addons.confidence.low", name=cni.suspected)
    pairs: list[tuple[Message, Cell]] = [
        (say("addons.fact.cni"), name),
        *((say("addons.fact.evidence"), _told(item)) for item in cni.evidence),
        (say("addons.fact.policy"), _policy(cni.enforces_policy)),
        (say("addons.fact.pod_cidr"), ", ".join(network.ranges.pod_cidrs) or None),
        (say("addons.fact.service_cidr"), ", ".join(network.ranges.service_cidrs) or None),
        (say("addons.fact.proxy"), _proxy_long(network)),
    ]
    if proxy.source is not None:
        pairs.append((say("addons.fact.evidence"), _told(proxy.source)))
    blocks: list[Block] = [Facts(pairs), *_lesson("network", on=explain)]
    return Section(say("addons.section.network"), blocks, network.status)


def _told(evidence: Evidence) -> str:
    return f"{evidence.source} {evidence.path} = {evidence.value}"


def _policy(enforces: bool | None) -> Message:
    word = {True: "yes", False: "no", None: "unknown"}[enforces]
    return say(f"addons.policy.{word}")


def _proxy_short(network: Network) -> Cell:
    proxy = network.kube_proxy
    if proxy.mode == REPLACED:
        return say("addons.proxy.replaced", cni=proxy.replaced_by)
    if proxy.mode:
        return f"kube-proxy ({proxy.mode})"
    if proxy.rollout is not None:
        return "kube-proxy"
    hidden = proxy.status is Status.NOT_VISIBLE
    return say("addons.proxy.unseen") if hidden else say("addons.proxy.unknown")


def _proxy_long(network: Network) -> Cell:
    proxy = network.kube_proxy
    if proxy.mode and proxy.mode != REPLACED:
        return say("addons.proxy.default" if proxy.defaulted else "addons.proxy.mode", mode=proxy.mode)
    if proxy.status is Status.NOT_VISIBLE:
        return say("addons.proxy.hidden")
    if proxy.mode or proxy.rollout is None:
        return _proxy_short(network)
    return say("addons.proxy.unknown")


def storage_section(addons: Addons, *, explain: bool = False) -> list[Section]:
    """Storage classes and CSI drivers."""
    found = addons.storage
    if not found.known:
        return []
    rows: list[list[Cell]] = [
        [
            say("addons.default", name=item.name) if item.default else item.name,
            item.provisioner,
            item.binding,
            item.reclaim,
        ]
        for item in found.classes
    ]
    blocks: list[Block] = [Table(columns("CLASS PROVISIONER BINDING +RECLAIM"), rows)]
    if not rows:
        blocks = [Lines((say("addons.storage_none"),))]
    if found.drivers:
        blocks.append(Lines((say("addons.drivers", names=", ".join(found.drivers)),)))
    else:
        blocks.append(Lines((say("addons.drivers_none"),)))
    return [Section(say("addons.section.storage"), [*blocks, *_lesson("storage", on=explain)])]


def entrance_section(addons: Addons, *, explain: bool = False) -> list[Section]:
    """Ingress classes and the Gateway API."""
    found = addons.entrance
    if not found.classes and not found.gateway_api:
        return []
    rows: list[list[Cell]] = [
        [say("addons.default", name=c.name) if c.default else c.name, c.controller] for c in found.classes
    ]
    blocks: list[Block] = [Table(columns("INGRESS-CLASS CONTROLLER"), rows)]
    if found.gateway_api:
        blocks.append(Lines((say("addons.gateway", versions=", ".join(found.gateway_api)),)))
    return [Section(say("addons.section.entrance"), [*blocks, *_lesson("entrance", on=explain)])]


def _minikube(addons: Addons) -> list[Section]:
    if not addons.minikube:
        return []
    rows: list[list[Cell]] = [[name] for name in addons.minikube]
    return [Section(say("addons.section.minikube"), [Table(columns("OBJECT"), rows)])]


def absent_section(found: Sequence[Addon], *, explain: bool = False) -> list[Section]:
    """What is not installed, and what stands in for it."""
    absent = [addon for addon in found if not addon.present]
    if not absent:
        return []
    pairs: list[tuple[Message, Cell]] = [
        (say(f"addons.category.{addon.category}"), _why_absent(addon)) for addon in absent
    ]
    blocks: list[Block] = [Facts(pairs), *_lesson("absent", on=explain)]
    return [Section(say("addons.section.absent"), blocks)]


def _why_absent(addon: Addon) -> Message:
    if addon.status is None:
        return say(f"addons.absent.{addon.category}")
    return say("addons.out_of_sight" if addon.status is Status.NOT_VISIBLE else "addons.not_told")


def _lesson(part: str, *, on: bool) -> list[Lesson]:
    if not on:
        return []
    return [Lesson(say(f"addons.lesson.{part}.title"), (say(f"addons.lesson.{part}.text"),))]
