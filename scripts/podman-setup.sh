#!/usr/bin/env bash
# A container engine with Docker's API for tests, on Debian 12 as root.
#
#   podman-setup.sh SOCKET          installs what is missing, starts podman's API on unix://SOCKET and an OCI registry on
#                                   127.0.0.1:$REGISTRY_PORT, and puts a busybox image into both
#   podman-setup.sh --install       only installs
#   podman-setup.sh --stop SOCKET   removes this engine's containers, networks and volumes, and stops its processes
#
# Running it again is harmless: whatever answers is left as it is.
#   STATE_DIR      configuration, images, logs and pid files   (default SOCKET.d)
#   REGISTRY_PORT  port of the registry on 127.0.0.1           (default 5055)
# The socket gives root on this machine to whoever can open it: it has mode 0600 and is never a TCP port.
set -euo pipefail

fail() { echo "podman-setup.sh: $*" >&2; exit 2; }
[ "$(id -u)" = 0 ] || fail "must run as root"

install_missing() {
  local tool missing=0 had_registry
  for tool in podman crun nsenter iptables ip docker-registry curl /bin/busybox; do command -v "$tool" >/dev/null || missing=1; done
  [ -x /usr/lib/podman/netavark ] || missing=1
  [ $missing = 1 ] || return 0
  had_registry=$(command -v docker-registry || true)
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -y -q --no-install-recommends podman crun netavark iptables iproute2 docker-registry busybox-static curl
  # The package's own service would listen on every interface.
  if [ -z "$had_registry" ] && [ -d /run/systemd/system ]; then systemctl disable --now docker-registry; fi
}

stop=0
case "${1:-}" in
  --install) install_missing; exit 0 ;;
  --stop) stop=1; shift ;;
esac
socket=$(realpath -m "${1:?usage: podman-setup.sh [--install | --stop] SOCKET}")
[ ${#socket} -le 107 ] || fail "the socket's path is longer than 107 bytes: $socket"
state=$(realpath -m "${STATE_DIR:-$socket.d}")
port=${REGISTRY_PORT:-5055}
image=127.0.0.1:$port/busybox

api() { curl -sSf --max-time 60 --unix-socket "$socket" "$@"; }
engine_up() { curl -sf --max-time 2 --unix-socket "$socket" http://d/_ping >/dev/null 2>&1; }
registry_up() { curl -sf --max-time 2 "http://127.0.0.1:$port/v2/" >/dev/null 2>&1; }

# running PIDFILE NAME: prints the pid if that process still is NAME; a zombie has no executable.
running() {
  local pid
  pid=$(cat "$1" 2>/dev/null) && [ -e "/proc/$pid/exe" ] && [ "$(cat "/proc/$pid/comm")" = "$2" ] && echo "$pid"
}
# halt PIDFILE NAME
halt() {
  local pid
  pid=$(running "$1" "$2") || { rm -f "$1"; return 0; }
  kill "$pid"
  for _ in $(seq 100); do running "$1" "$2" >/dev/null || break; sleep .1; done
  ! running "$1" "$2" >/dev/null || kill -9 "$pid"
  rm -f "$1"
}
# wait_for CHECK LOG
wait_for() {
  for _ in $(seq 100); do ! "$1" || return 0; sleep .1; done
  echo "$1: no answer in 10 s; end of $2:" >&2; tail -20 "$2" >&2; return 1
}

# podman runs in a mount namespace that a sleeping process keeps open, so that an engine that is started again after a crash still
# finds the mounts of the containers that live on.
inside() {
  CONTAINERS_CONF=$state/containers.conf CONTAINERS_STORAGE_CONF=$state/storage.conf \
    CONTAINERS_REGISTRIES_CONF=$state/registries.conf nsenter --target "$(cat "$state/mounts.pid")" --mount "$@"
}
podman_here() { inside podman --network-config-dir "$state/networks" "$@"; }

if [ $stop = 1 ]; then
  [ -d "$state" ] || exit 0
  exec 9>"$state/lock"; flock 9
  halt "$state/podman.pid" podman   # first: nobody makes new containers meanwhile
  if running "$state/mounts.pid" sleep >/dev/null; then
    # Their monitors outlive the engine.
    # One that others depend on cannot go before them, and the order is podman's: so more than once.
    for _ in 1 2 3; do podman_here rm --all --force --time 0 >/dev/null 2>&1 9>&- && break; done
    podman_here rm --all --force --time 0 >/dev/null 9>&-
    podman_here network prune --force >/dev/null 9>&-
    podman_here volume prune --force >/dev/null 9>&-
  fi
  for process in /proc/[0-9]*; do   # monitors of commands that ran inside containers
    if [ "$(cat "$process/comm" 2>/dev/null)" = conmon ] && grep -qsF "$state/root/" "$process/cmdline"; then kill "${process#/proc/}" 2>/dev/null || true; fi
  done
  halt "$state/mounts.pid" sleep
  halt "$state/registry.pid" docker-registry
  rm -f "$socket"
  exit 0
fi

install_missing
mkdir -p "$state" "$(dirname "$socket")"
chmod 0700 "$state"
exec 9>"$state/lock"; flock 9

cat > "$state/containers.conf" <<CONF
[containers]
# Without CAP_SYS_RESOURCE podman may not raise its default limits, and then no container starts.
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
# The monitor of a command inside a container stays this long after it: by default five minutes, a process for each probe.
exit_command_delay = 5
[network]
network_backend = "netavark"
CONF
cat > "$state/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$state/root"
runroot = "$state/run"
CONF
cat > "$state/registries.conf" <<CONF
short-name-mode = "disabled"
[[registry]]
location = "127.0.0.1:$port"
insecure = true
CONF
cat > "$state/registry.yml" <<CONF
version: 0.1
storage: {filesystem: {rootdirectory: "$state/registry"}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$port"}
CONF
if [ ! -e /etc/containers/policy.json ]; then   # no environment variable names this file
  mkdir -p /etc/containers
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' > /etc/containers/policy.json
fi

if ! registry_up; then
  halt "$state/registry.pid" docker-registry
  setsid bash -c 'echo $$ > "$0/registry.pid"; exec docker-registry serve "$0/registry.yml"' "$state" \
    > "$state/registry.log" 2>&1 < /dev/null 9>&- &
  wait_for registry_up "$state/registry.log"
fi

if ! running "$state/mounts.pid" sleep >/dev/null; then
  # Where both versions of cgroups are mounted, podman must not see the second: the limits are in the first there.
  setsid unshare --mount --propagation private bash -c '
    if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
    echo $$ > "$0/mounts.pid"
    exec sleep infinity' "$state" > /dev/null 2>&1 < /dev/null 9>&- &
  for _ in $(seq 100); do ! running "$state/mounts.pid" sleep >/dev/null || break; sleep .1; done
fi
if ! engine_up; then
  halt "$state/podman.pid" podman
  rm -f "$socket"
  inside setsid bash -c '
    echo $$ > "$0/podman.pid"
    exec podman --network-config-dir "$0/networks" system service --time=0 "unix://$1"' "$state" "$socket" \
    > "$state/podman.log" 2>&1 < /dev/null 9>&- &
  wait_for engine_up "$state/podman.log"
  chmod 0600 "$socket"
fi

if ! api "http://d/v1.41/images/$image:latest/json" >/dev/null 2>&1; then   # an image made without a registry
  rootfs=$(mktemp -d); trap 'rm -rf "$rootfs"' EXIT
  mkdir -p "$rootfs"/{bin,etc,tmp,proc,sys,dev,root}
  chmod 0755 "$rootfs"; chmod 1777 "$rootfs/tmp"
  cp /bin/busybox "$rootfs/bin/"
  chroot "$rootfs" /bin/busybox --install -s /bin
  echo root:x:0:0:root:/root:/bin/sh > "$rootfs/etc/passwd"
  echo root:x:0: > "$rootfs/etc/group"
  tar -C "$rootfs" -c . | api -X POST -H 'Content-Type: application/x-tar' --data-binary @- \
    "http://d/v1.41/images/create?fromSrc=-&repo=$image" >/dev/null
fi
if ! curl -sf "http://127.0.0.1:$port/v2/busybox/manifests/latest" -o /dev/null \
  -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'; then
  # e30= is {}: nobody's credentials.
  api -X POST -H 'X-Registry-Auth: e30=' "http://d/v1.41/images/${image//\//%2F}/push?tag=latest" >/dev/null
fi
echo "engine unix://$socket  registry http://127.0.0.1:$port  image $image:latest"
