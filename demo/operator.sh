#!/usr/bin/env bash
# The operator's demo on the lab's cluster (make demo-operator): a CompanionReplicaSet is disturbed in four ways, and each
# time its story is told live. Everything is removed at the end; --short leaves the node alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. demo/stage.sh

export KUBECONFIG=${DEMO_KUBECONFIG:-$PWD/.cluster/kubeconfig}
kubectl=${KUBECTL:-$(command -v kubectl || find "${KCOMPANION_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kcompanion-lab}/go" \
  -path '*/kubernetes-*/kubectl' 2>/dev/null | head -n 1)}
if [ -z "$kubectl" ]; then
  echo 'missing: kubectl' >&2
  echo 'do: install it, or name one: KUBECTL=/path/to/kubectl make demo-operator' >&2
  exit 1
fi
space=demo-operator-$$
crs() { "$kubectl" -n "$space" "$@" >/dev/null; }
pods() { # LABELS: the names of running pods, the newest last
  "$kubectl" -n "$space" get pods -l "$1" --field-selector=status.phase=Running -o name
}

lines=$(mktemp)
story=''
installed=''
node=''
remove() {
  trap - EXIT
  rm -f "$lines"
  if [ -n "$story" ]; then kill "$story" 2>/dev/null || true; fi
  if [ -n "$node" ]; then docker start "$node" >/dev/null; fi
  "$kubectl" delete namespace "$space" --ignore-not-found --wait=false >/dev/null
  if [ -n "$installed" ]; then kcompanion operator uninstall --yes >/dev/null; fi
}
trap remove EXIT
trap 'exit 130' INT TERM

seconds=12
if [ "${1:-}" = --short ]; then seconds=4; fi

# Tells the story in the background while a command disturbs it, for some seconds and until all pods are ready again.
told() { # SECONDS COMMAND…
  : >"$lines"
  kcompanion reconcile watch crs/web -n "$space" --timeout 5m --deadline 2m > >(tee "$lines") &
  story=$!
  until [ -s "$lines" ]; do # what happens before it watches is not told
    kill -0 "$story" 2>/dev/null || return 1
    sleep 0.2
  done
  local least=$1
  shift
  "$@"
  sleep "$least"
  all_ready
  sleep 1 # the last line comes a moment after
  kill "$story" 2>/dev/null || true
  wait "$story" || true
  story=''
}
all_ready() {
  local wanted
  wanted=$("$kubectl" -n "$space" get crs/web -o jsonpath='{.spec.replicas}')
  crs wait crs/web "--for=jsonpath={.status.readyReplicas}=$wanted" --timeout=180s
}

scale() { crs scale crs/web "--replicas=$1"; }
kill_one() { crs delete --wait=false "$(pods app=web | head -n 1)"; }
tamper() { crs label --overwrite "$(pods app=web | head -n 1)" app=taken; }
stop_node() {
  node=$("$kubectl" -n "$space" get pods -l app=web -o jsonpath='{.items[0].spec.nodeName}')
  docker stop --time 1 "$node" >/dev/null
}

tell 'The operator is put into the cluster, if it is not there yet.' '오퍼레이터가 아직 없으면 클러스터에 설치합니다.'
if ! "$kubectl" get deployment kcompanion-operator -n kcompanion-system >/dev/null 2>&1; then
  installed=yes
  kcompanion operator install --timeout 3m
fi
say 'Who reconciles?' '누가 조정하나요?'
show 0 operator status

say 'A CompanionReplicaSet: three pods of one template (manifests/demo-operator).' \
  'CompanionReplicaSet 하나, 같은 템플릿의 파드 셋(manifests/demo-operator)입니다.'
"$kubectl" create namespace "$space" >/dev/null
crs apply -f manifests/demo-operator/web.yaml
all_ready
"$kubectl" -n "$space" get crs -o wide

say 'A pod is deleted. The operator makes another at once, before the old one has ended:' \
  '파드 하나를 삭제합니다. 이전 파드가 끝나기도 전에 오퍼레이터가 새로 만듭니다.'
told "$seconds" kill_one

say 'The label of a pod is changed. The pod is released, not deleted, and replaced:' \
  '파드의 레이블을 바꿉니다. 파드는 삭제되지 않고 놓여나며, 빈자리가 채워집니다.'
told "$seconds" tamper

say 'Five are wanted, then two. Which go first, and why?' '다섯을 원했다가 둘로 줄입니다. 어느 파드부터, 왜 사라질까요?'
told "$seconds" scale 5
told "$seconds" scale 2

if [ "${1:-}" != --short ]; then
  say 'A node is stopped. Its pods count until the node controller marks them; then they are evicted and replaced:' \
    '노드 하나를 멈춥니다. 노드 컨트롤러가 표시할 때까지 그 파드를 세다가, 축출되면 새로 만듭니다.'
  told 75 stop_node # it takes 40 to 60 until its silence is noticed
  docker start "$node" >/dev/null
  node=''
fi
tell 'All of it is being removed.' '모두 지웁니다.'
