#!/usr/bin/env bash
# The main job on shipped recordings: a cluster at a glance, what is left of a control plane with one node down, why a
# pod does not run, who owns whom, what a controller decides and repairs, and a report to keep.
# Needs no cluster, no terminal and no rights.
# In Korean: demo/demo.sh --lang ko, or make demo KCOMPANION_LANG=ko.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. demo/stage.sh

say 'A small shop on three nodes, recorded from kind. The cluster on one screen:' \
  'kind에서 기록한 노드 3개와 작은 가게입니다. 클러스터를 한 화면으로 봅니다.'
show 0 overview --from demo:shop

say "Three control planes, a minute after the leader's node was stopped:" \
  '컨트롤 플레인 세 대 중 리더가 있던 노드를 멈추고 1분쯤 지났습니다.'
show 32 controlplane --from demo:ha-one-down

say 'Why is this pod Pending?' '이 파드는 왜 Pending일까요?'
show 20 explain pod/lost -n demo-kc5061 --from demo:faulty

say 'Who owns whom? The shop after one of its workers lost its power:' \
  '누가 누구를 소유할까요? 워커 노드 하나가 꺼진 뒤의 가게입니다.'
show 0 tree deployment/web -n shop --from demo:shop-node-lost

say "The operator's own code, simulated: a pod is lost, and what is decided:" \
  '오퍼레이터의 코드를 모의로 실행합니다. 파드를 잃으면 어떤 결정을 할까요?'
show 47 reconcile simulate pod-lost

say 'A pod is deleted, a process ends. A recorded lesson proves who repairs what:' \
  '파드를 지우고 프로세스를 끝내면 누가 무엇을 고칠까요? 기록된 실습입니다.'
claims learn desired-state --from demo:desired-state

say 'All of it in one page to keep:' '이 모든 것을 한 페이지로 남깁니다.'
show 0 report --from demo:ha-one-down -O report.html

say 'The same on a live cluster:' '실제 클러스터에서는 이렇게 실행합니다.'
cat <<'TEXT'
  kcompanion overview -w             # or: kubectl companion overview -w
  kcompanion health
  kcompanion explain pod NAME
  kcompanion quiz                    # questions about your cluster
  kcompanion controlplane --explain  # what each part is, and why
  kcompanion report -O report.html
TEXT
tell 'No cluster at hand? make demo-cluster' '클러스터가 없으면 make demo-cluster'
