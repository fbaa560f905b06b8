#!/usr/bin/env bash
# Makes the shipped recordings from the lab's clusters, with the very command that users have.
# The HA cluster is broken for it (the node of the scheduler's leader is stopped) and mended again.
set -euo pipefail
cd "$(dirname "$0")/.."
out=kcompanion/recordings
save() { .venv/bin/kcompanion snapshot save "$out/$1.kcr" --kubeconfig "$2" --strict; }

save three-nodes .cluster/kubeconfig
save ha .cluster/kubeconfig-ha

# The same three nodes with a handful of faults, for `health`, `explain`, `tree` and `trace`.
faults="KC5041 KC5054 KC5061 KC5144 KC5148 KC5212"
kubectl=${KUBECTL:-kubectl}
mend() { .venv/bin/python tools/demo.py remove $faults --kubectl "$kubectl"; }
trap mend EXIT
.venv/bin/python tools/demo.py apply $faults --kubectl "$kubectl"
.venv/bin/python tools/demo.py wait $faults --kubectl "$kubectl"
save faulty .cluster/kubeconfig
mend
trap - EXIT

# The lessons, one run of each; those about leaders and quorums need the HA cluster.
for lesson in $(.venv/bin/kcompanion learn -o name); do
  where=kubeconfig
  case $lesson in leader-election | control-plane-loss | etcd-quorum) where=kubeconfig-ha ;; esac
  .venv/bin/kcompanion learn "$lesson" --yes --kubeconfig ".cluster/$where" --record "$out/lessons/$lesson.json"
done

leader=$(.venv/bin/kcompanion controlplane -o json --from "$out/ha.kcr" |
  python3 -c 'import json, sys
print(next(c["leader"]["node"] for c in json.load(sys.stdin)["components"] if c["name"] == "kube-scheduler"))')
echo "stopping $leader for the degraded recording" >&2
docker stop --time 1 "$leader" >/dev/null
trap 'docker start "$leader" >/dev/null; echo "started $leader again" >&2' EXIT
sleep 45 # three missed renewals and a new election
# not --strict: the stopped API server cannot be probed, which is the point
.venv/bin/kcompanion snapshot save "$out/ha-one-down.kcr" --kubeconfig .cluster/kubeconfig-ha
