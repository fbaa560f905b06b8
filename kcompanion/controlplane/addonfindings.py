"""What is wrong, or worth knowing, about add-ons and the network: KC30xx."""

from __future__ import annotations

from collections.abc import Iterator

from kcompanion.controlplane.addons import Addons
from kcompanion.controlplane.dns import Dns
from kcompanion.controlplane.network import Network
from kcompanion.controlplane.rollout import Rollout
from kcompanion.controlplane.storage import Storage
from kcompanion.model.finding import Evidence, Finding, Severity, Status
from kcompanion.model.message import say

_DNS = "Deployment/kube-system/coredns"
_DNS_PODS = "kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide"


def findings(addons: Addons, *, everything_read: bool) -> tuple[Finding, ...]:
    """All findings. What is absent is reported only when everything that could hold it was read."""
    return (
        *_dns(addons.dns, everything_read=everything_read),
        *_network(addons.network, addons.policies),
        *_proxy(addons.network),
        *_apis(addons),
        *_storage(addons.storage),
        *_products(addons),
    )


def _finding(
    code: str,
    severity: Severity,
    subject: str,
    evidence: Evidence | tuple[Evidence, ...],
    command: str,
    **values: object,
) -> Finding:
    proofs = evidence if isinstance(evidence, tuple) else (evidence,)
    message = say(f"addons.finding.{code.lower()}", **values)
    return Finding(code, severity, subject, message, proofs, command)


def _dns(dns: Dns, *, everything_read: bool) -> Iterator[Finding]:
    if not dns.product:
        if everything_read:
            evidence = Evidence("Pods kube-system", "labels[k8s-app]=kube-dns", "none")
            yield _finding("KC3001", Severity.CRITICAL, "DNS", evidence, _DNS_PODS)
        return
    rollout = dns.rollout
    if rollout is not None and rollout.status is Status.FAIL:
        yield _finding("KC3002", Severity.CRITICAL, _DNS, rollout.evidence, _DNS_PODS)
    elif rollout is not None and rollout.status is Status.WARN:
        yield _finding(
            "KC3003",
            Severity.WARNING,
            _DNS,
            rollout.evidence,
            _DNS_PODS,
            ready=rollout.ready,
            desired=rollout.desired,
        )
    if dns.one_node:
        # no fault: kubeadm and kind leave them so, since the second node joins after DNS has started
        evidence = Evidence("Pods k8s-app=kube-dns", "spec.nodeName", ", ".join(dns.nodes))
        values = {"count": len(dns.nodes), "node": dns.nodes[0]}
        yield _finding("KC3004", Severity.INFO, _DNS, evidence, _DNS_PODS, **values)
    yield from _dns_service(dns)


def _dns_service(dns: Dns) -> Iterator[Finding]:
    subject = "Service/kube-system/kube-dns"
    if dns.endpoints == 0:
        evidence = Evidence("EndpointSlices of kube-dns", "endpoints[].conditions.ready", "none")
        command = "kubectl get endpointslices -n kube-system -l kubernetes.io/service-name=kube-dns"
        yield _finding("KC3005", Severity.CRITICAL, subject, evidence, command)
    told, real = dns.kubelet_servers, dns.service_ips
    # 169.254.… is NodeLocal DNSCache, which stands before the Service on purpose
    if told and real and not set(told) & set(real) and not told[0].startswith("169.254."):
        evidence_pair = (
            Evidence("ConfigMap kube-system/kubelet-config", "clusterDNS", ", ".join(told)),
            Evidence("Service kube-system/kube-dns", "spec.clusterIP", ", ".join(real)),
        )
        command = "kubectl get svc -n kube-system kube-dns"
        values = {"told": ", ".join(told), "real": ", ".join(real)}
        yield _finding("KC3006", Severity.WARNING, subject, evidence_pair, command, **values)
    zones = [block for block in dns.blocks if block.arguments("kubernetes") is not None]
    if dns.blocks and not zones:
        evidence = Evidence("ConfigMap kube-system/coredns", "data.Corefile", "no kubernetes")
        command = "kubectl get cm -n kube-system coredns -o yaml"
        yield _finding("KC3007", Severity.CRITICAL, "ConfigMap/kube-system/coredns", evidence, command)


def _network(network: Network, policies: int | None) -> Iterator[Finding]:
    cni = network.cni
    command = "kubectl get daemonsets -A"
    if not cni.name and cni.status is not Status.UNKNOWN:
        evidence = cni.evidence or (Evidence("DaemonSets", "containers[].image", "no known one"),)
        yield _finding("KC3010", Severity.INFO, "CNI", evidence, command)
    if cni.others:
        others = ", ".join(cni.others)
        yield _finding("KC3011", Severity.WARNING, "CNI", cni.evidence, command, cni=cni.name, others=others)
    if cni.rollout is not None and cni.rollout.status in (Status.FAIL, Status.WARN):
        severity = Severity.CRITICAL if cni.rollout.status is Status.FAIL else Severity.WARNING
        values = {"cni": cni.name, "ready": cni.rollout.ready, "desired": cni.rollout.desired}
        yield _finding("KC3012", severity, f"CNI/{cni.name}", cni.rollout.evidence, command, **values)
    if cni.name and cni.enforces_policy is False:
        severity = Severity.WARNING if policies else Severity.INFO
        code = "KC3013" if policies else "KC3014"
        count = "" if policies is None else str(policies)
        proof = (*cni.evidence, Evidence("NetworkPolicies", "all namespaces", count))
        known = {"count": policies, "cni": cni.name} if policies else {"cni": cni.name}
        yield _finding(code, severity, f"CNI/{cni.name}", proof, "kubectl get networkpolicies -A", **known)


def _proxy(network: Network) -> Iterator[Finding]:
    proxy = network.kube_proxy
    subject = "DaemonSet/kube-system/kube-proxy"
    rollout = proxy.rollout
    if rollout is not None and rollout.status in (Status.FAIL, Status.WARN):
        severity = Severity.CRITICAL if rollout.status is Status.FAIL else Severity.WARNING
        values = {"ready": rollout.ready, "desired": rollout.desired}
        command = "kubectl get pods -n kube-system -l k8s-app=kube-proxy -o wide"
        yield _finding("KC3020", severity, subject, rollout.evidence, command, **values)
    code = {"ipvs": "KC3021", "userspace": "KC3022"}.get(proxy.mode)
    if code and proxy.source is not None:
        command = "kubectl get cm -n kube-system kube-proxy -o yaml"
        severity = Severity.INFO if code == "KC3021" else Severity.CRITICAL
        yield _finding(code, severity, subject, proxy.source, command)


def _apis(addons: Addons) -> Iterator[Finding]:
    for api in addons.apis:
        if api.status is Status.FAIL:
            yield _finding(
                "KC3030",
                Severity.CRITICAL,
                f"APIService/{api.name}",
                api.evidence,
                f"kubectl describe apiservice {api.name}",
                name=api.name,
                service=api.service,
                reason=api.reason or "-",
            )


def _storage(storage: Storage) -> Iterator[Finding]:
    command = "kubectl get storageclass"
    if storage.known and storage.classes and not storage.defaults:
        names = ", ".join(item.name for item in storage.classes)
        evidence = Evidence("StorageClasses", "is-default-class", f"none of {names}")
        yield _finding("KC3040", Severity.INFO, "StorageClass", evidence, command)
    if len(storage.defaults) > 1:
        evidence = Evidence("StorageClasses", "is-default-class", ", ".join(storage.defaults))
        names = ", ".join(storage.defaults)
        yield _finding("KC3041", Severity.WARNING, "StorageClass", evidence, command, names=names)


def _explaining(rollout: Rollout) -> str:
    """The command that tells why its pods are not ready; on a silent node they are still called Running."""
    kind, _, place = rollout.evidence.source.partition(" ")
    namespace, _, name = place.partition("/")
    return f"kcompanion explain {kind.lower()}/{name} -n {namespace}"


def _products(addons: Addons) -> Iterator[Finding]:
    for addon in addons.found:
        if not addon.present:
            continue
        rollout = addon.rollout
        if addon.category != "dns" and rollout is not None and rollout.status in (Status.FAIL, Status.WARN):
            yield _finding(
                "KC3050",
                Severity.WARNING if rollout.ready else Severity.CRITICAL,
                f"Addon/{addon.product}",
                rollout.evidence,
                _explaining(rollout),
                product=addon.product,
                ready=rollout.ready,
                desired=rollout.desired,
            )
        if addon.retired:
            message = f"addons.retired.{addon.product.replace('-', '_')}"
            yield Finding(
                "KC3051",
                Severity.WARNING,
                f"Addon/{addon.product}",
                say("addons.finding.kc3051", product=addon.product, successor=say(message)),
                addon.evidence,
                "kcompanion addons -o wide",
            )
