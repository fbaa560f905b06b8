"""Small objects for the tests of reports, and the text of what is made of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import yaml

from kcompanion.model.world import World
from kcompanion.render.screen import Screen
from kcompanion.render.terminal import render
from kcompanion.report.document import Document, Section
from tests.explain.casebook import world_from

SHOP = """
{now: "2026-11-21T12:00:00Z"}
---
kind: Node
apiVersion: v1
metadata: {name: worker-1, labels: {}, creationTimestamp: "2026-11-20T12:00:00Z"}
spec: {taints: [{key: disk, value: ssd, effect: NoSchedule}]}
status:
  capacity: {cpu: "4", memory: 8Gi, pods: "110"}
  allocatable: {cpu: "4", memory: 7Gi, pods: "110"}
  nodeInfo: {kubeletVersion: v1.36.4, containerRuntimeVersion: "containerd://2.1"}
  conditions: [{type: Ready, status: "True", reason: KubeletReady, lastTransitionTime: "2026-11-20T12:00:00Z"}]
---
kind: Deployment
apiVersion: apps/v1
metadata: {name: web, uid: d1, generation: 2, creationTimestamp: "2026-11-21T11:00:00Z"}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 50%}}
status: {observedGeneration: 2, replicas: 4, updatedReplicas: 4, readyReplicas: 3, availableReplicas: 3}
---
kind: ReplicaSet
apiVersion: apps/v1
metadata:
  name: web-1
  uid: r1
  annotations: {deployment.kubernetes.io/revision: "1"}
  ownerReferences: [{kind: Deployment, apiVersion: apps/v1, name: web, uid: d1, controller: true}]
spec:
  replicas: 0
  template: {spec: {containers: [{name: web, image: "shop/web:1", env: [{name: A, value: x}]}]}}
---
kind: ReplicaSet
apiVersion: apps/v1
metadata:
  name: web-2
  uid: r2
  annotations: {deployment.kubernetes.io/revision: "2"}
  ownerReferences: [{kind: Deployment, apiVersion: apps/v1, name: web, uid: d1, controller: true}]
spec:
  replicas: 4
  selector: {matchLabels: {app: web, pod-template-hash: "2"}}
  template: {spec: {containers: [{name: web, image: "shop/web:2", env: [{name: A, value: "y"}]}]}}
status: {replicas: 3, readyReplicas: 3, availableReplicas: 3}
---
kind: Pod
apiVersion: v1
metadata:
  name: web-2-abc
  uid: p1
  labels: {app: web}
  creationTimestamp: "2026-11-21T11:00:00Z"
  ownerReferences: [{kind: ReplicaSet, apiVersion: apps/v1, name: web-2, uid: r2, controller: true}]
spec:
  nodeName: worker-1
  serviceAccountName: shop
  restartPolicy: Always
  volumes:
  - {name: settings, configMap: {name: settings, items: [{key: level, path: level}]}}
  - {name: scratch, emptyDir: {}}
  - name: kube-api-access-x
    projected: {sources: [{serviceAccountToken: {expirationSeconds: 3607, path: token}}]}
  containers:
  - name: web
    image: shop/web:2
    ports: [{containerPort: 8080, name: http}]
    resources: {requests: {cpu: 500m}, limits: {memory: 64Mi}}
    livenessProbe: {httpGet: {path: /healthy, port: http}, periodSeconds: 10, failureThreshold: 3}
    volumeMounts: [{name: settings, mountPath: /etc/settings, readOnly: true}, {name: scratch, mountPath: /scratch}]
    env: [{name: KEY, valueFrom: {secretKeyRef: {name: token, key: password}}}]
  - name: helper
    image: shop/helper:1
    volumeMounts: [{name: scratch, mountPath: /in}]
status:
  phase: Running
  podIP: 10.1.0.7
  qosClass: Burstable
  startTime: "2026-11-21T11:00:00Z"
  conditions:
  - {type: PodScheduled, status: "True", lastTransitionTime: "2026-11-21T11:00:00Z"}
  - {type: Ready, status: "False", reason: ContainersNotReady}
  containerStatuses:
  - {name: web, ready: true, started: true, restartCount: 0, state: {running: {startedAt: "2026-11-21T11:00:00Z"}}}
  - name: helper
    ready: false
    restartCount: 7
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {exitCode: 137, reason: OOMKilled, finishedAt: "2026-11-21T11:58:00Z"}}
---
kind: ConfigMap
apiVersion: v1
metadata: {name: settings}
data: {level: "<scrubbed 5 bytes>", spare: "<scrubbed 2 bytes>"}
---
kind: Service
apiVersion: v1
metadata: {name: web}
spec: {clusterIP: 10.96.0.9, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
kind: EndpointSlice
apiVersion: discovery.k8s.io/v1
metadata: {name: web-x, labels: {kubernetes.io/service-name: web}}
endpoints: [{addresses: [10.1.0.7], targetRef: {kind: Pod, name: web-2-abc}, conditions: {ready: false}}]
---
kind: ServiceAccount
apiVersion: v1
metadata: {name: shop}
---
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: shop-reads}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: shop, namespace: default}]
---
kind: HorizontalPodAutoscaler
apiVersion: autoscaling/v2
metadata: {name: web}
spec:
  scaleTargetRef: {kind: Deployment, apiVersion: apps/v1, name: web}
  minReplicas: 2
  maxReplicas: 10
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
status:
  currentReplicas: 3
  desiredReplicas: 6
  currentMetrics: [{type: Resource, resource: {name: cpu, current: {averageUtilization: 90}}}]
  conditions:
  - {type: AbleToScale, status: "True", reason: ReadyForNewScale}
  - {type: ScalingActive, status: "True", reason: ValidMetricFound}
---
kind: PersistentVolumeClaim
apiVersion: v1
metadata: {name: data}
spec: {storageClassName: gone, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
status: {phase: Pending}
---
kind: Namespace
apiVersion: v1
metadata: {name: default}
status: {phase: Active}
---
kind: ResourceQuota
apiVersion: v1
metadata: {name: team}
status: {hard: {pods: "4", requests.cpu: "2"}, used: {pods: "1", requests.cpu: 1500m}}
"""


_PARSED = list(yaml.safe_load_all(SHOP))


def shop() -> World:
    """A small shop: a Deployment with one pod whose helper crashes, and what belongs to it."""
    return world_from(copy.deepcopy(_PARSED))


def item(world: World, kind: str, name: str) -> Any:
    """An object of the World by kind and name."""
    for reading in world.snapshot.readings.values():
        if reading.ask.resource is not None and reading.ask.resource.kind == kind:
            for one in reading.body:
                if one["metadata"]["name"] == name:
                    return one
    raise AssertionError(f"there is no {kind} {name}")


def printed(sections: Sequence[Section], language: str = "en", columns: int = 200) -> str:
    return render(Document(sections=sections), Screen(language=language, columns=columns, wide=True))
