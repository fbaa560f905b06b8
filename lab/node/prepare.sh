#!/bin/bash
# Runs once in a container of the unfinished node image: what kind's own base image does by RUN.
set -o errexit -o nounset -o pipefail

# Units that make no sense in a container; links to enabled units are made afresh below.
find /lib/systemd/system/sysinit.target.wants/ -name systemd-tmpfiles-setup.service -delete
rm -f /lib/systemd/system/multi-user.target.wants/* \
  /etc/systemd/system/*.wants/* \
  /lib/systemd/system/local-fs.target.wants/* \
  /lib/systemd/system/sockets.target.wants/*udev* \
  /lib/systemd/system/sockets.target.wants/*initctl* \
  /lib/systemd/system/basic.target.wants/*
echo "ReadKMsg=no" >>/etc/systemd/journald.conf
ln -sf /lib/systemd/systemd /sbin/init
systemctl enable kubelet.service containerd.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service
mkdir -p /etc/kubernetes/manifests /var/log/journal
: >/etc/machine-id

# Without CAP_SYS_RESOURCE nobody may lower an OOM score; containerd then keeps to its own.
if [ -n "${RESTRICT_OOM_SCORE:-}" ]; then
  sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
fi

ctr oci spec |
  jq '.hooks.createContainer += [{"path": "/kind/bin/mount-product-files.sh"}]' |
  jq 'del(.process.rlimits)' >/etc/containerd/cri-base.json

# The images come on stdin, as one archive; nodes unpack what they use.
containerd >/tmp/containerd.log 2>&1 &
daemon=$!
for _ in $(seq 100); do
  [ -S /run/containerd/containerd.sock ] && ctr version >/dev/null 2>&1 && break
  sleep 0.1
done
ctr --namespace=k8s.io images import --label=io.cri-containerd.pinned=pinned \
  --all-platforms --no-unpack --digests - || { cat /tmp/containerd.log; exit 1; }
kill "$daemon"
wait "$daemon" || true
rm -rf /tmp/* /run/containerd
