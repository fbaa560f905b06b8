"""What each row of docs/concepts.md promises: its commands on a shipped recording, and what they have to say there.

A pattern is a regular expression; white space in it stands for any.
"""

from __future__ import annotations

W = "web-6c75d4b95d-8qg6q"  # a pod of the shop's Deployment web
REPLACED = "web-6c75d4b95d-87hgj"  # made when its node was lost
THREE, SHOP, LOST, FAULTY, HA, DOWN = (
    f"--from demo:{name}" for name in ("three-nodes", "shop", "shop-node-lost", "faulty", "ha", "ha-one-down")
)
BY_HAND = "learn by-hand --from demo:by-hand"
CONTROLPLANE = f"controlplane {THREE}"
NODES = f"nodes {THREE}"
TRACE = f"trace pod {W} -n shop {SHOP}"
NETWORK = f"controlplane network {THREE}"

# row: {command: what it says}
PROMISES: dict[str, dict[str, tuple[str, ...]]] = {
    "S01": {
        f"overview {THREE}": ("Nodes: 3 of 3 well", "control-plane 7/110", "13 pods: 13 Running"),
        NODES: ("3 nodes", "linux/amd64", "control-plane", "worker", "PODS", "KUBELET"),
    },
    "S02": {
        CONTROLPLANE: ("kube-apiserver ✔ ok", "readyz ok, 37 checks"),
        f"controlplane health {THREE}": ("/livez ✔ ok 200", "identity renewed"),
        f"controlplane flags kube-apiserver {THREE}": ("--secure-port", "--etcd-servers"),
    },
    "S03": {f"controlplane etcd {HA}": ("stacked", "size of the store", "3 members: 2 must agree", "PEER-URL")},
    "S04": {
        f"controlplane scheduling {THREE}": ("default-scheduler bound it", "no scheduler was asked"),
        f"controlplane leaders {HA}": ("kube-scheduler ✔ ok",),
        f"why {W} -n shop {SHOP}": ("is on shop-worker", "Scheduler default-scheduler", "Placed at"),
    },
    "S05": {
        f"controlplane controllers {THREE}": (
            "replicaset-controller on",
            "serviceaccount-token-controller on",
            "endpointslice-controller 4m15s ago EndpointSlice",
        )
    },
    "S06": {
        NODES: ("A kubelet renews its Lease every 10 s", "v1.36.4"),
        f"explain node kcompanion-control-plane {THREE}": ("heartbeat Lease renewed", "MemoryPressure"),
    },
    "S07": {NODES: ("RUNTIME", "containerd 2.3.5")},
    "S08": {
        NETWORK: ("kube-proxy mode iptables",),
        f"addons {THREE}": ("ConfigMap kube-system/kube-proxy config.conf: mode = iptables",),
    },
    "S09": {
        CONTROLPLANE: (r"made with kind \(on kubeadm\)",),
        "controlplane --from demo:eks": ("EKS", "run by the provider"),
    },
    "S10": {
        f"explain pod {W} -n shop {SHOP}": (
            "shared by its 2 containers",
            "prepare init",
            "writer app",
            "prepare:/pages, app:/pages, writer:/pages",
            "app 8080/TCP",
        )
    },
    "S11": {
        f"explain phase {FAULTY}": ("Pending", "Running", "Succeeded", "Failed", "Unknown"),
        f"explain phase Pending {FAULTY}": ("how a pod gets there", "what comes next", "Pod demo-kc5061/lost"),
    },
    "S12": {
        f"explain replicaset web-6c75d4b95d -n shop {SHOP}": (
            "3 desired, 3 current, 3 ready, 3 available",
            "app=web,pod-template-hash=6c75d4b95d",
            "Pods: 3",
        ),
        BY_HAND: ("no pod, and no status, because nobody read it", "each names the wish as its owner"),
    },
    "S13": {
        f"explain deployment web -n shop {SHOP}": ("RollingUpdate", "from revision 1 to 2", "web-744698f88b 0"),
        f"trace deployment web -n shop {SHOP}": ("env\\[SHOP_VERSION\\]", "3 → 2 scaled down", "rollout undo"),
    },
    "S14": {
        f"explain namespace shop {SHOP}": ("What lives in it", "shop pods 9 30", "DEFAULT REQUEST"),
    },
    "S15": {
        f"glossary {SHOP}": ("orchestration", "provisioning", "on-premises", "IaaS", "PaaS", "SaaS", "manifest"),
        f"glossary manifest {SHOP}": ("YAML or JSON file",),
    },
    "S16": {TRACE: ("container runtime make the sandbox", "Image .* was on the node", "Started container app")},
    "S17": {
        f"explain pod web -n demo-kc5144 {FAULTY}": ("is started again by the kubelet", "restarts so far: 2"),
        f"trace pod {REPLACED} -n shop {LOST}": ("Earlier pods of this controller", "Created for ReplicaSet"),
        f"explain pod alone -n shop {LOST}": ("Nothing controls it, so it does not come back",),
    },
    "S18": {
        f"health {LOST}": ("Nothing has been heard of node shop-worker2", "affects 8"),
        f"trace pod {REPLACED} -n shop {LOST}": ("Bound to node shop-worker",),
        f"why {REPLACED} -n shop {LOST}": ("would fit on 1 of 3 nodes",),
        f"why-not {REPLACED} shop-worker2 -n shop {LOST}": ("node.kubernetes.io/unreachable:NoSchedule",),
        f"explain pod alone -n shop {LOST}": ("but the pod as a whole is not",),
        "learn node-failure --from demo:node-failure": ("still calls the pod Running", "deleted", "ready in its place"),
    },
    "S19": {
        f"explain deployment web -n demo-kc5148 {FAULTY}": ("2 desired, 1 of the newest", "FailedCreate"),
        f"trace deployment web -n shop {SHOP}": ("wanted 3", "scaled up web-6c75d4b95d"),
    },
    "S20": {
        f"tree deployment web -n shop {SHOP}": ("ReplicaSet/web-6c75d4b95d ✔ 3/3", f"Pod/{W} ✔ Running"),
        f"owners pod {W} -n shop {SHOP}": ("Deployment", "ReplicaSet"),
        f"tree pod {W} -n shop --explain {SHOP}": ("6c75d4b95d: a hash of the pod template", "five random characters"),
    },
    "S21": {
        f"orphans -n shop {SHOP}": ("app is taken, its selector wants web", "written by kubectl-label, 17s ago"),
        f"orphans pod/{W} --preview-label app=x -n shop {SHOP}": ("would let Pod", "makes one new pod"),
    },
    "S22": {
        f"explain service web -n shop {SHOP}": (
            "EndpointSlice web-gd54h",
            f"{W} 10.244.2.20 yes ready",
            "kubectl port-forward -n shop svc/web",
        )
    },
    "S23": {
        f"explain configmap web -n shop {SHOP}": ("env GREETING", "A CHANGE ARRIVES"),
        f"explain secret db -n shop {SHOP}": ("values not shown", "password 15 B db-0"),
        f"explain pod web -n demo-kc5041 {FAULTY}": ("needs the ConfigMap settings, which does not exist",),
    },
    "S24": {
        f"controlplane traffic {THREE}": (r"kubelet \(3/3\) ──▶ kube-apiserver", "╌╌▶ kubelet"),
        f"report --format mermaid -O - {HA}": ("flowchart", "kube-apiserver", "calls kubelets for logs and exec"),
    },
    "S25": {TRACE: ("Noticed the pod, because it watches the API server",)},
    "S26": {
        CONTROLPLANE: ("cloud-controller-manager", "nothing to do for a cluster without a cloud"),
        f"addons {THREE}": ("nobody writes cloud routes",),
    },
    "S27": {f"explain serviceaccount shop -n shop {SHOP}": ("projected and expiring", "good for 60 min, then renewed")},
    "S28": {f"addons {THREE}": ("DNS CoreDNS v1.14.2", "dashboard", "ingress", "the successor of Heapster", "seen in")},
    "S29": {f"addons {THREE}": ("cAdvisor inside each kubelet", "no log collector")},
    "S30": {NETWORK: ("CNI plugin kcompanion-lab-cni",), NODES: ("POD-CIDR", "kcompanion-worker 10.244.1.0/24")},
    "S31": {
        f"whoami {THREE}": ("knows you as kubernetes-admin", "Your certificate", "ends 2027"),
        "learn contexts --from demo:contexts": ("the very same words read the other object", "NotFound in blue"),
    },
    "S32": {f"whoami {THREE}": ("kubeadm-config", "cluster-info", "TOKEN ENDS")},
    "S33": {f"controlplane versions {THREE}": ("kubelet ✔ ok v1.36.4 1.33 – 1.36", "at most three older")},
    "S34": {
        f"controlplane traffic {THREE}": ("only it talks to etcd", r"kube-apiserver \(.*\) ──▶ etcd"),
        f"controlplane flags kube-apiserver {THREE}": ("--etcd-certfile", "--etcd-cafile"),
    },
    "S35": {
        f"controlplane leaders {HA}": ("all of them work at once", "kube-controller-manager ✔ ok", "STANDBYS"),
        f"controlplane {DOWN}": ("leads, renewed", "stands by"),
        CONTROLPLANE: ("single point of failure",),
        "learn leader-election --from demo:leader-election": ("the Lease had to run out", "let go of its Lease"),
    },
    "S36": {
        f"controlplane static {THREE}": ("/etc/kubernetes/manifests/etcd.yaml", "the kubelet writes the picture again"),
        f"tree pod etcd-kcompanion-control-plane -n kube-system {THREE}": (
            "Node/kcompanion-control-plane",
            "static pod",
        ),
    },
    "S37": {f"nodes --pods {THREE}": ("etcd-kcompanion-control-plane .* control plane COMPONENT: etcd", "add-on")},
    "S38": {
        f"quiz --topic etcd --answers {HA}": ("3 members|etcd here: 3", "A majority of 3", "That is 2"),
        f"controlplane etcd {HA}": ("One more member would make 4", "5 3 2", "7 4 3"),
        f"controlplane etcd {DOWN}": ("one more loss stops it",),
        "learn etcd-quorum --from demo:etcd-quorum": (
            "Two of three are more than half",
            "knows no leader",
            "as it was",
        ),
    },
    "S39": {"learn conflict --from demo:conflict": ("409 Conflict", "nothing was overwritten", "retry went through")},
    "S40": {
        f"key deployment/web -n shop {SHOP}": ("/registry/deployments/shop/web",),
        "learn etcd-keys --from demo:etcd-keys": ("mod_revision is the object's resourceVersion", "registry/minions"),
    },
    "S41": {
        "learn request-pipeline --from demo:request-pipeline": (
            "401: the API server does not know",
            "no role allows it",
            "violates PodSecurity",
            "the answer names the field",
            "Admission changed it",
        ),
        "learn defaults --from demo:defaults": (
            "came back with 15 more",
            r"\+ restartPolicy = Always",
            "lets the pod stay 300 s",
        ),
    },
    "S42": {TRACE: ("default-scheduler Bound to node", "kubelet Noticed", "AT TOOK ACTOR STEP")},
    "S43": {f"explain pod patient -n shop {SHOP}": ("asks for the scheduler shop-scheduler",)},
    "S44": {
        f"trace deployment web -n shop {SHOP}": ("kube-controller-manager control plane, status",),
        f"owners pod {W} -n shop {SHOP}": ("ReplicaSet",),
    },
    "S45": {BY_HAND: ("it wanted 2, saw 1, and made 1", "ownerAdded")},  # and live
    "S46": {  # and live
        "reconcile simulate pod-lost": ("3 wanted, 2 there .* 1 too few, so create 1", "nothing to do"),
        "reconcile simulate scale-down": (
            "1 wanted, 7 there .* 6 too many, so delete 6",
            "its deletion cost is -10",
        ),
    },
    "S47": {
        NODES: ("7/110", "23.5Gi"),
        f"explain pod web -n demo-kc5144 {FAULTY}": ("liveness probe", "failureThreshold 2"),
    },
    "S48": {
        f"controlplane leaders {HA}": ("there is no one leading master",),
        f"controlplane {DOWN}": ("kcompanion-ha-control-plane2", "etcd has 2 of 3 members alive"),
        "diff demo:ha demo:ha-one-down": ("etcd alive 3 2", "kube-scheduler leader kcompanion-ha-control-plane"),
        "learn control-plane-loss --from demo:control-plane-loss": ("the API writes as before", "A standby leads now"),
    },
    "S49": {
        f"tree cronjob/accounts job/import statefulset/db daemonset/agent -n shop {SHOP}": (
            "CronJob/shop/accounts",
            "Job/accounts-29930843",
            "ControllerRevision/db",
        ),
        f"explain statefulset db -n shop {SHOP}": ("one pod after the other",),
        f"explain daemonset agent -n shop {SHOP}": ("2 should run a pod",),
        f"explain cronjob accounts -n shop {SHOP}": ("schedule",),
        f"explain job import -n shop {SHOP}": ("1 of 1 done",),
    },
    "S50": {
        f"explain persistentvolumeclaim data-db-0 -n shop {SHOP}": (
            "phase Bound",
            "class standard",
            "volume pvc-",
            r"kubernetes.io/hostname in \(shop-worker\)",
        )
    },
    "S51": {
        f"explain horizontalpodautoscaler web -n shop {SHOP}": (
            "scales Deployment web",
            "3 now",
            "between 2 and 5",
            "last decision FailedGetResourceMetric",
        ),
        "learn autoscaling --from demo:autoscaling": (
            "written through scale by kube-controller-manager",
            "FailedGetResourceMetric: the HPA was unable",
            "Zero is below the minimum, and stays",
        ),
    },
    "S52": {
        f"trace deployment web -n shop {SHOP}": (
            "kubectl-set imperative",
            "A second apply of the same manifest would set these fields back",
        )
    },
    "S53": {
        f"explain configmap web -n shop {SHOP}": ("ConfigMap shop/web",),
        f"explain configmap web -n shop-test {SHOP}": ("ConfigMap shop-test/web",),
        f"glossary namespace {SHOP}": ("names are unique",),
    },
    "S54": {
        "learn drain --from demo:drain": ("429: the budget allows no pod", "none of them on the cordoned node"),
        f"explain poddisruptionbudget web -n shop {SHOP}": ("may be taken away now",),
    },
    "S55": {NETWORK: ("10.244.0.0/16 /24 256 3 256",), NODES: ("room for 256 nodes, 3 taken, 253 left",)},
    "S56": {NODES: ("configured with systemd", "cannot differ here")},
    "S57": {
        f"controlplane join {THREE}": ("sha256:324876fbdd1b", "--discovery-token-ca-cert-hash"),
        f"whoami {THREE}": ("CA key hash sha256:324876fbdd1b", "in 22h"),
    },
    "S58": {"controlplane --from demo:k3s": ("inside a service of its nodes", "not visible from the API")},
}

# Commands that no recording can show, and the tests on a real cluster that prove them.
LIVE = {
    "contexts": "tests/cluster/test_contexts.py",
    "key TYPE/NAME --read": "tests/cluster/test_key.py",
    "serve": "tests/cluster/test_fresh_pages.py",
    "reconcile watch NAME": "tests/cluster/test_reconcile_watch.py",
    "trace run MANIFEST": "tests/cluster/test_trace.py",
}
