#!/usr/bin/env bash
# Records manifests/shop for docs/tutorial.*.md: once at work, once after a worker node was lost.
# It brings the shop up on a cluster of the lab (default: .cluster/kubeconfig), kills the node that runs the pod without
# a controller, and mends and removes everything again. `make recordings` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
kubeconfig=${1:-.cluster/kubeconfig}
out=kcompanion/recordings
cluster() { "${KUBECTL:-kubectl}" --kubeconfig "$kubeconfig" "$@"; }
shop() { cluster -n shop "$@"; }
save() { .venv/bin/kcompanion snapshot save "$out/$1.kcr" --kubeconfig "$kubeconfig" "${@:2}"; }
pod() { # N: the Deployment's pod that is N-th from the youngest, so none of the old revision
  shop get pods -l app=web --sort-by=.metadata.creationTimestamp -o name | tail -n "$1" | head -n 1
}
all_ready() { [ "$(shop get deployment web -o jsonpath='{.status.readyReplicas}')" = 3 ]; }
accounts_done() { shop get jobs -o name | grep -q accounts; }
within() { # SECONDS CONDITION
  local end=$((SECONDS + $1))
  until "$2"; do
    if [ "$SECONDS" -ge "$end" ]; then echo "not within $1 s: $2" >&2; exit 1; fi
    sleep 1
  done
}

victim=
mend() {
  if [ -n "$victim" ]; then docker start "$victim" >/dev/null; fi
  cluster delete namespace shop shop-test --ignore-not-found --wait=false
}
trap mend EXIT

cluster apply -f manifests/shop/shop.yaml
shop rollout status deployment/web --timeout=120s
shop rollout status statefulset/db --timeout=120s
shop rollout status daemonset/agent --timeout=120s
shop wait job/import --for=condition=Complete --timeout=60s
shop wait pod/alone --for=condition=Ready --timeout=60s

echo 'a second revision' >&2
shop set env deployment/web -c app SHOP_VERSION=2
shop annotate deployment/web kubernetes.io/change-cause='second version' --overwrite
shop rollout status deployment/web --timeout=120s

echo 'one pod loses its label, another is deleted' >&2
shop label "$(pod 1)" app=taken --overwrite
shop rollout status deployment/web --timeout=60s
within 60 all_ready
shop delete "$(pod 2)"
shop rollout status deployment/web --timeout=60s
within 90 accounts_done
save shop --strict

victim=$(shop get pod alone -o jsonpath='{.spec.nodeName}')
echo "killing $victim" >&2
docker kill "$victim" >/dev/null
cluster wait "node/$victim" --for=condition=Ready=Unknown --timeout=120s
shop wait pod/alone --for=jsonpath='{.metadata.deletionTimestamp}' --timeout=120s
shop rollout status deployment/web --timeout=120s
save shop-node-lost
