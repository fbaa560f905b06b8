"""`explain` and `glossary` on the real 3-node cluster, against kubectl."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kcompanion.cluster import recording

pytestmark = pytest.mark.cluster
MISHAP = "kcompanion.dev/lab/mishap:1"
BUDGET = 12  # requests of `explain pod`
THINGS = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{{name: settings, configMap: {{name: settings}}}}]
      containers:
      - name: web
        image: {MISHAP}
        imagePullPolicy: IfNotPresent
        args: [serve, "8080"]
        ports: [{{containerPort: 8080, name: http}}]
        readinessProbe: {{httpGet: {{path: /ready, port: http}}, periodSeconds: 2}}
        volumeMounts: [{{name: settings, mountPath: /etc/settings}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{level: debug}}
---
apiVersion: v1
kind: Secret
metadata: {{name: key}}
stringData: {{password: canary-of-the-explain-test}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: http}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web}}
spec: {{defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: db
        image: {MISHAP}
        imagePullPolicy: IfNotPresent
        args: [serve, "8080"]
        volumeMounts: [{{name: data, mountPath: /data}}]
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: once}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: a, image: "{MISHAP}", imagePullPolicy: IfNotPresent, args: [exit, "0"]}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {{name: nightly}}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{{name: a, image: "{MISHAP}", imagePullPolicy: IfNotPresent, args: [exit, "0"]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}, minReplicas: 2, maxReplicas: 3}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: web}}
spec: {{minAvailable: 1, selector: {{matchLabels: {{app: web}}}}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {{name: team}}
spec: {{hard: {{pods: "20"}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: crash}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{{name: main, image: "{MISHAP}", imagePullPolicy: IfNotPresent, args: [exit, "3"]}}]
"""
# TYPE/NAME and words that its portrait has in English.
SHOWN = {
    "deployment/web": ("2 desired, 2 of the newest revision", "RollingUpdate", "web-"),
    "replicaset": ("2 desired, 2 current", "pod-template-hash"),
    "service/web": ("kubectl port-forward", "EndpointSlice web-", "ready"),
    "ingress/web": ("web:80", "2 of 2 ready"),
    "statefulset/db": ("db-0, db-1", "data: one claim"),
    "persistentvolumeclaim/data-db-0": ("standard", "reachable from", "db-0"),
    "job/once": ("1 of 1 done",),
    "cronjob/nightly": ("0 3 * * *",),
    "configmap/settings": ("level  5 B", "volume settings"),
    "secret/key": ("password  26 B",),
    "serviceaccount/default": ("system:serviceaccount:", "then renewed"),
    "horizontalpodautoscaler/web": ("Deployment web", "between 2 and 3"),
    "poddisruptionbudget/web": ("may be taken away now",),
    "resourcequota/team": ("age",),
}
TOPICS = (("phase", "Running"), ("condition", "Ready"), ("reason", "CrashLoopBackOff"), ("exit-code", "3"))
Run = Callable[..., Any]


@pytest.fixture(scope="module")
def place(kubectl: Callable[..., str]) -> Iterator[str]:
    """A namespace in which everything runs, and one pod crashes."""
    name = f"explain-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    try:
        kubectl("-n", name, "apply", "-f", "-", stdin=THINGS)
        kubectl("-n", name, "rollout", "status", "deployment/web", "--timeout=90s")
        kubectl("-n", name, "rollout", "status", "statefulset/db", "--timeout=90s")
        kubectl("-n", name, "wait", "job/once", "--for=condition=Complete", "--timeout=90s")
        _crashed(kubectl, name)
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def _crashed(kubectl: Callable[..., str], name: str) -> None:
    """Waits until the pod has crashed twice, so that there is a log of the run before."""
    for _ in range(60):
        count = kubectl("-n", name, "get", "pod", "crash", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
        if count and int(count) >= 1:
            return
        time.sleep(1)
    pytest.fail("the pod does not crash")


@pytest.mark.parametrize("thing", SHOWN)
def test_every_kind_has_its_portrait(cluster: Path, kcompanion: Run, place: str, thing: str) -> None:
    done = kcompanion("explain", thing, "-n", place, "-o", "wide", kubeconfig=cluster)
    assert (done.code, done.err) == (0, "")
    assert [words for words in SHOWN[thing] if words not in done.out] == []
    assert "canary-of-the-explain-test" not in done.out
    korean = kcompanion("explain", thing, "-n", place, "--lang", "ko", "--explain", kubeconfig=cluster)
    assert (korean.code, korean.err) == (0, "")
    assert "무엇인가" in korean.out


def test_namespace_and_nodes(cluster: Path, kcompanion: Run, place: str) -> None:
    done = kcompanion("explain", "namespace", place, "--explain", kubeconfig=cluster)
    assert "kube-root-ca.crt" in done.out
    assert "Node" in done.out  # one of the kinds without a namespace
    done = kcompanion("explain", "node", "kcompanion-worker", kubeconfig=cluster)
    assert "Lease renewed" in done.out
    done = kcompanion("explain", "daemonset/kube-proxy", "-n", "kube-system", kubeconfig=cluster)
    assert "3 should run a pod, 3 do" in done.out


def test_the_status_word_is_kubectls(cluster: Path, kcompanion: Run, kubectl: Callable[..., str], place: str) -> None:
    words: dict[str, str] = {}
    lines: list[str] = []
    for _ in range(5):  # the crashing pod's word changes every few seconds
        lines = kubectl("get", "pods", "-n", place, "--no-headers").splitlines()
        done = kcompanion("explain", "pods", "-n", place, "-o", "json", kubeconfig=cluster)
        words = {one["name"]: one["statusWord"] for one in json.loads(done.out)["objects"]}
        if words == {line.split()[0]: line.split()[2] for line in lines}:
            return
    pytest.fail(f"{words} are not the words of\n" + "\n".join(lines))


def test_the_crashed_containers_last_words(cluster: Path, kcompanion: Run, place: str, tmp_path: Path) -> None:
    done = kcompanion("explain", "pod/crash", "-n", place, kubeconfig=cluster)
    assert "│ mishap: ending with 3" in done.out
    assert "exit 3" in done.out
    quiet, told = tmp_path / "quiet.kcr", tmp_path / "told.kcr"
    done = kcompanion("explain", "pod/crash", "-n", place, "--record", str(quiet), kubeconfig=cluster)
    assert "mishap: ending" not in done.out
    again = kcompanion("explain", "pod/crash", "-n", place, "--from", str(quiet))
    assert again.out == done.out
    kcompanion("explain", "pod/crash", "-n", place, "--record", str(told), "--with-logs", kubeconfig=cluster)
    assert "mishap: ending" in kcompanion("explain", "pod/crash", "-n", place, "--from", str(told)).out


def test_explain_pod_stays_in_its_budget(cluster: Path, kcompanion: Run, place: str, tmp_path: Path) -> None:
    for number, words in enumerate((("pod/crash",), ("pod", "-l", "app=web"), ("pod/db-0",))):
        file = tmp_path / f"{number}.kcr"
        kcompanion("explain", *words, "-n", place, "--record", str(file), "--with-logs", kubeconfig=cluster)
        asked = recording.load(file).readings
        assert len(asked) <= BUDGET, sorted(asked)


def test_the_story_of_a_lost_and_of_a_crashed_pod(cluster: Path, kcompanion: Run, place: str) -> None:
    """S17: the kubelet restarts containers, a controller replaces pods."""
    naked = kcompanion("explain", "pod/crash", "-n", place, kubeconfig=cluster).out
    assert "started again by the kubelet" in " ".join(naked.split())
    assert "nobody makes another" in " ".join(naked.split())
    kept = kcompanion("explain", "pod", "-l", "app=web", "-n", place, kubeconfig=cluster).out
    assert "makes another, maybe on another node" in " ".join(kept.split())


def test_another_scheduler_is_waited_for(
    cluster: Path, kcompanion: Run, kubectl: Callable[..., str], place: str
) -> None:
    """S43."""
    kubectl("-n", place, "run", "waits", f"--image={MISHAP}", '--overrides={"spec":{"schedulerName":"mine"}}')
    told = kcompanion("explain", "pod/waits", "-n", place, kubeconfig=cluster).out
    assert "mine, not the default one; the pod waits" in " ".join(told.split())


@pytest.mark.parametrize(("topic", "word"), TOPICS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_topics_show_examples(cluster: Path, kcompanion: Run, place: str, topic: str, word: str, language: str) -> None:
    done = kcompanion("explain", topic, word, "-n", place, "--lang", language, kubeconfig=cluster)
    assert (done.code, done.err) == (0, "")
    assert word in done.out
    found = json.loads(kcompanion("explain", topic, word, "-n", place, "-o", "json", kubeconfig=cluster).out)
    # the crashing pod runs for a moment now and then, and then neither waits nor is unready
    assert found["found"] > 0 or topic in ("condition", "reason")


def test_a_manifest_and_several_objects(cluster: Path, kcompanion: Run, place: str, tmp_path: Path) -> None:
    file = tmp_path / "things.yaml"
    file.write_text(THINGS)
    done = kcompanion("explain", "-f", str(file), "-n", place, "-o", "json", kubeconfig=cluster)
    told = json.loads(done.out)
    assert len(told["objects"]) == THINGS.count("\nkind:")
    assert told["absent"] == []
    both = kcompanion("explain", "deploy/web", "svc/web", "-n", place, "--short", kubeconfig=cluster)
    assert {"Deployment/web", "Service/web"} <= set(both.out.split())


def test_errors(cluster: Path, kcompanion: Run, place: str) -> None:
    for words, code in (
        (("explain", "pod", "nobody", "-n", place), 4),
        (("explain", "flibbet", "x"), 4),
        (("explain", "pods", "-n", "not-there-at-all"), 4),
        (("explain", "phase", "Nope"), 4),
    ):
        done = kcompanion(*words, kubeconfig=cluster)
        assert (done.code, done.out) == (code, ""), words
        assert done.err.startswith("error: ")


def test_the_glossary_points_at_this_cluster(cluster: Path, kcompanion: Run, kubectl: Callable[..., str]) -> None:
    done = kcompanion("glossary", "-o", "json", kubeconfig=cluster)
    terms = {term["term"]: term for term in json.loads(done.out)["terms"]}
    node = terms["control_plane"]["example"].removeprefix("Node ")
    assert f"node/{node}" in kubectl("get", "nodes", "-l", "node-role.kubernetes.io/control-plane", "-o", "name")
    assert terms["static_pod"]["example"].startswith("Pod kube-system/")
    assert "containerd://" in terms["container_runtime"]["example"]
    for language in ("en", "ko"):
        assert kcompanion("glossary", "quorum", "--lang", language, kubeconfig=cluster).code == 0
