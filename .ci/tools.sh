# What the tests need beside the repository, on a fresh Debian 12: sourced by `.ci/run`. Each function leaves the tool on PATH or fails;
# what is there already is left as it is. What is built or downloaded once is kept in ~/.cache/binnacle, by version.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/binnacle
go_version=1.26.8
kubectl_versions=(0.33.4 0.36.2)

fail() { echo "ci: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null; }

# Programs from Debian's archive. openjdk for DynamoDB Local, iproute2 and util-linux for its network namespace; docker.io for its daemon,
# of which the tests start one of their own; go itself comes later from the module proxy where Debian's is too old.
install_packages() {
  local missing=()
  has npm || missing+=(nodejs npm)
  has git || missing+=(git)
  has curl || missing+=(curl ca-certificates)
  has java || missing+=(openjdk-17-jre-headless)
  has ip || missing+=(iproute2)
  has unshare || missing+=(util-linux)
  has go || missing+=(golang-go)
  has aws || missing+=(awscli)
  has dockerd || missing+=(docker.io)
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
  /usr/bin/python3 -c 'import kubernetes' 2>/dev/null || missing+=(python3 python3-kubernetes)
  if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || fail "${missing[*]}: not installed, and only root can install them"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -y -q --no-install-recommends "${missing[@]}"
    # The package's own service would change the machine's firewall, and be taken for the user's engine.
    if [[ " ${missing[*]} " == *" docker.io "* && -d /run/systemd/system ]]; then systemctl disable --now docker.socket docker.service; fi
  fi
  scripts/podman-setup.sh --install
  java -version 2>&1 | grep -qE 'version "(1[7-9]|[2-9][0-9])' || fail "Java 17 or newer is required for DynamoDB Local"
}

# Go 1.21 and newer fetch the toolchain that a go.mod asks for by themselves; an older one can still download it as a module.
find_go() {
  export GOTOOLCHAIN=auto GOFLAGS=-buildvcs=false
  local minor
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -lt 21 ] || return 0
  local folder=$cache/go/$go_version source
  if [ ! -e "$folder/complete" ]; then
    # The order of -json's lines is not promised; the folder's is the one that ends in the version.
    source=$(cd / && go mod download -json "golang.org/toolchain@v0.0.1-go$go_version.linux-$(go env GOARCH)" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
    rm -rf "$folder"
    mkdir -p "$folder"
    cp -r --no-preserve=mode "$source/." "$folder"
    # A module's files are not executable and hold no second go.mod: the go command puts both right when it fetches a toolchain itself.
    chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
    cp "$folder/src/_go.mod" "$folder/src/go.mod"
    touch "$folder/complete"
  fi
  export PATH=$folder/bin:$PATH
  unset GOROOT
}

# What test/clients has in Go, compiled ahead of the tests, whose time limits are not for that: they find it in Go's build cache.
build_go_clients() {
  local module
  for module in go operator reference; do (cd "test/clients/$module" && go vet . && go build -o /dev/null .); done
  (cd test/clients/helm && go build -o /dev/null helm.sh/helm/v3/cmd/helm helm.sh/helm/v4/cmd/helm)
}

# kubectl: two minor versions, one of them 1.32 or newer. Folders that hold kubectl.1.NN are found beside the one on PATH; else they are built.
find_kubectl() {
  local kubectl folder
  if kubectl=$(command -v kubectl) && folder=$(dirname "$(readlink -f "$kubectl")") && has_kubectls "$folder"; then
    export BINNACLE_KUBECTL_DIR=$folder
    return 0
  fi
  folder=$cache/kubectl
  local version
  for version in "${kubectl_versions[@]}"; do build_kubectl "$version" "$folder"; done
  has_kubectls "$folder" || fail "two minor versions of kubectl are required, one of them 1.32 or newer"
  export BINNACLE_KUBECTL_DIR=$folder
  [ -n "$kubectl" ] || export PATH=$folder/bin:$PATH
}

has_kubectls() { # FOLDER
  [ "$(find "$1" -maxdepth 1 -name 'kubectl.1.*' 2>/dev/null | wc -l)" -ge 2 ] &&
    [ -n "$(find "$1" -maxdepth 1 \( -name 'kubectl.1.3[2-9]' -o -name 'kubectl.1.[4-9][0-9]' \))" ]
}

build_kubectl() { # VERSION-OF-THE-MODULE FOLDER
  local version=v1.${1#0.} minor=${1#0.} source=$2/source/$1
  minor=${minor%%.*}
  if [ ! -x "$source/kubectl" ]; then
    rm -rf "$source"
    mkdir -p "$source"
    cp .ci/kubectl.go "$source/main.go"
    local package=k8s.io/component-base/version
    (
      cd "$source"
      go mod init kubectl
      go get "k8s.io/kubectl@v$1"
      go mod tidy
      go build -trimpath -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor" -o kubectl.partial .
      mv kubectl.partial kubectl
    )
  fi
  mkdir -p "$2/bin"
  ln -sf "$source/kubectl" "$2/kubectl.1.$minor"
  ln -sf "$source/kubectl" "$2/bin/kubectl"
}

# moto in an environment of its own; prints the folder of its python3.
moto_environment() {
  local requirements=scripts/emulators/moto-requirements.txt folder
  folder=$cache/moto/$(sha256sum "$requirements" | cut -c1-16)
  if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder" >&2
    "$folder/bin/pip" install --quiet --no-deps -r "$requirements" >&2
    touch "$folder/complete"
  fi
  echo "$folder/bin"
}
