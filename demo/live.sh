#!/usr/bin/env bash
# The demo on the lab's cluster (make demo-cluster): the same questions, asked of a live one. A few things are broken for
# it with manifests/demo, in namespaces of their own, and everything is removed at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. demo/stage.sh

export KUBECONFIG=$PWD/.cluster/kubeconfig
kubectl=${KUBECTL:-$(command -v kubectl || find "${KCOMPANION_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kcompanion-lab}/go" \
  -path '*/kubernetes-*/kubectl' 2>/dev/null | head -n 1)}
if [ -z "$kubectl" ]; then
  echo 'missing: kubectl' >&2
  echo 'do: install it, or name one: KUBECTL=/path/to/kubectl make demo-cluster' >&2
  exit 1
fi
faults='KC5061 KC5148 KC5144'
demo() { # ACTION
  # shellcheck disable=SC2086 # a list of words
  python tools/demo.py "$1" $faults --kubectl "$kubectl" >/dev/null
}
trap 'demo remove' EXIT

say 'The cluster on one screen:' '클러스터를 한 화면으로 봅니다.'
show 0 overview

say 'Its control plane, asked part by part:' '컨트롤 플레인을 하나하나 확인합니다.'
show 26 controlplane

say 'Three things are broken now (manifests/demo). What does the cluster say?' \
  '이제 세 가지를 고장 냅니다(manifests/demo). 클러스터는 뭐라고 할까요?'
demo apply
demo wait
show 24 health

say 'Why is this pod Pending?' '이 파드는 왜 Pending일까요?'
show 20 explain pod/lost -n demo-kc5061

say 'Why has this Deployment too few pods?' '이 디플로이먼트에는 왜 파드가 모자랄까요?'
show 16 explain deployment/web -n demo-kc5148

say 'Who owns whom?' '누가 누구를 소유할까요?'
show 0 tree deployment/web -n demo-kc5148

say 'The life of a pod that is restarted again and again:' '자꾸 재시작되는 파드가 지나온 과정입니다.'
show 0 trace pod/web -n demo-kc5144

say 'All of it in one page to keep:' '이 모든 것을 한 페이지로 남깁니다.'
show 0 report -O report.html
tell 'The three namespaces are being removed.' '네임스페이스 세 개를 지웁니다.'
