#!/usr/bin/env bash
# The main job on shipped recordings: a control plane, what is left of one with a node down, and why pods do not run.
# Needs no cluster, no terminal and no rights. KCOMPANION_LANG=ko make demo shows it in Korean.
set -euo pipefail

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold='' dim='' off=''; fi

say() { # English, Korean
  case "${KCOMPANION_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}" in
    ko*) printf '\n%s%s%s\n' "$bold" "$2" "$off" ;;
    *) printf '\n%s%s%s\n' "$bold" "$1" "$off" ;;
  esac
}
show() {
  printf '%s$ kcompanion %s%s\n\n' "$dim" "$*" "$off"
  kcompanion "$@"
}

say '1. A small cluster, recorded from kind: one control-plane node, two workers.' \
  '1. kind로 만든 작은 클러스터의 기록입니다. 컨트롤 플레인 노드 하나와 워커 노드 둘이 있습니다.'
show controlplane --from demo:three-nodes
say '2. Its nodes, and what runs on them.' '2. 그 클러스터의 노드와 거기서 도는 것들입니다.'
show nodes --from demo:three-nodes
say '3. Three control-plane nodes. Who leads?' '3. 컨트롤 플레인 노드가 셋입니다. 누가 리더일까요?'
show controlplane leaders --from demo:ha
say "4. The leader's node was stopped a minute ago. What is left?" \
  '4. 1분쯤 전에 리더가 있던 노드를 멈췄습니다. 무엇이 남았을까요?'
show controlplane --from demo:ha-one-down
say '5. etcd: how many more may go?' '5. etcd는 몇 대를 더 잃어도 될까요?'
show controlplane etcd --from demo:ha-one-down

say '6. A small cluster with some faults. What is wrong, and why?' \
  '6. 문제가 몇 가지 있는 작은 클러스터입니다. 무엇이, 왜 잘못됐을까요?'
show health --from demo:faulty
say '7. One of them: a pod that no node takes.' '7. 그중 하나, 어느 노드에도 배치되지 않는 파드입니다.'
show explain pod/lost -n demo-kc5061 --from demo:faulty
say '8. Who owns whom, from the Deployment down.' '8. 디플로이먼트부터 아래로, 누가 누구를 소유할까요?'
show tree deployment/coredns -n kube-system --from demo:faulty
say '9. The life of a pod, step by step.' '9. 파드가 거쳐 온 과정입니다.'
show trace pod/web -n demo-kc5144 --from demo:faulty

say 'The same on a live cluster:' '실제 클러스터에서는 이렇게 실행합니다.'
cat <<'TEXT'
  kcompanion health                  # or: kubectl companion health
  kcompanion explain pod NAME
  kcompanion controlplane
  kcompanion controlplane --explain  # what each part is, and why
  kcompanion nodes
  kcompanion addons
  kcompanion doctor
No cluster at hand: make cluster
TEXT
