# The recipes: one function per component, and what each component consists of. Sourced by `build`.
# shellcheck shell=bash

ALL='otelcol otelcol-0.160 telemetrygen prometheus alertmanager jaeger kubernetes controllers kube-state-metrics opensearch python-grpc h2spec grpc-go java-grpc'
DEFAULT='otelcol prometheus alertmanager jaeger kubernetes controllers kube-state-metrics opensearch telemetrygen otelcol-0.160 python-grpc h2spec grpc-go java-grpc'

# Raised when a recipe (not its locks) changes in a way that the programs must be built again.
REVISION=1

KUBERNETES=1.36.3
KWOK=0.8.0
TELEMETRYGEN=0.161.0

# Without these tags the cloud service discoveries double the size, the time and the memory of a build.
SD_TAGS=remove_all_sd,enable_kubernetes_sd,enable_dns_sd

# programs_of NAME: the programs that the component puts into bin/
programs_of() {
  case $1 in
    prometheus) echo prometheus promtool ;;
    alertmanager) echo alertmanager amtool ;;
    kubernetes) echo kube-apiserver kubectl etcd ;;
    controllers) echo kube-controller-manager kube-scheduler kwok ;;
    *) echo "$1" ;;
  esac
}

# locks_of NAME: the folder whose files lock the component's dependencies, or nothing (`go install` of one pinned version)
locks_of() {
  case $1 in
    telemetrygen) ;;
    controllers) echo "$here/modules/kubernetes" ;;
    opensearch | python-grpc | java-grpc) echo "$here/$1" ;;
    *) echo "$here/modules/$1" ;;
  esac
}

# version_of PROGRAM: what the program in bin/ answers; most of them are built without a version stamp, so the module
# that Go recorded in the file speaks for them.
version_of() {
  local file=$bin/$1
  case $1 in
    otelcol*) "$file" --version | sed 's/.*version //' ;;
    kube-apiserver | kube-controller-manager | kube-scheduler) "$file" --version | sed 's/.* v//' ;;
    kubectl) "$file" version --client | sed -n 's/Client Version: v//p' ;;
    etcd) "$file" --version | sed -n 's/etcd Version: //p' ;;
    opensearch) "$file" --version ;;
    grpc-go | java-grpc) "$file" -version ;;
    python-grpc) "$file" -c 'import grpc; print(grpc.__version__)' ;;
    *) go version -m "$file" | awk '$1 == "mod" { sub(/^v/, "", $3); print $3 }' ;;
  esac
}

# expected_version PROGRAM: as version_of must answer. Prometheus 3.15.0 is the module v0.315.0, Jaeger 2.13.0 the module v1.76.0.
expected_version() {
  case $1 in
    otelcol) echo 0.155.0 ;;
    otelcol-0.160) echo 0.160.0 ;;
    telemetrygen) echo $TELEMETRYGEN ;;
    prometheus | promtool) echo 0.315.0 ;;
    alertmanager | amtool) echo 0.34.2 ;;
    jaeger) echo 1.76.0 ;;
    kube-apiserver | kubectl | kube-controller-manager | kube-scheduler) echo $KUBERNETES ;;
    etcd) echo 3.6.8 ;;
    kwok) echo $KWOK ;;
    kube-state-metrics) echo 2.15.0 ;;
    opensearch) echo 2.19.1 ;;
    python-grpc) echo 1.85.1 ;;
    h2spec) echo 2.2.1+incompatible ;;
    grpc-go) echo 1.83.2 ;;
    java-grpc) echo 1.76.0 ;;
  esac
}

# scratch NAME [LOCKS]: a scratch module beside the binaries, holding the component's locks
scratch() {
  local from=$here/modules/${2:-$1} to=$cache/src/$1
  rm -rf "$to"
  mkdir -p "$to"
  cp -r "$from/." "$to/"
  cd "$to" || return
}

# compile LDFLAGS ARGS...: -mod=mod fetches only what is linked; `go mod tidy` would want test and Windows dependencies too
compile() {
  local ldflags=$1
  shift
  go build -mod=mod -ldflags "-s -w $ldflags" "$@"
}

kubernetes_version() {
  local package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.gitVersion=v%s -X %s.gitMajor=1 -X %s.gitMinor=36 ' $package $KUBERNETES $package $package
  done
}

# The Collector's builder is used for its generator alone: its own module handling asks for versions that not every proxy holds.
collector() {
  go install go.opentelemetry.io/collector/cmd/builder@v0.155.0
  scratch "$1"
  mkdir generate
  cp go.mod go.sum manifest.yaml generate/
  (cd generate && "$bin/builder" --config manifest.yaml --skip-get-modules --skip-compilation --skip-strict-versioning)
  cp -- *.mod *.sum generate/
  cd generate
  compile '' -tags $SD_TAGS -o "$bin/$1" .
}

build_otelcol() { collector otelcol; }
build_otelcol-0.160() { collector otelcol-0.160; }
build_telemetrygen() { go install github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v$TELEMETRYGEN; }

build_prometheus() {
  scratch prometheus
  compile '' -tags $SD_TAGS -o "$bin/" github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool
}

# The module embeds a web page that its archive lacks: build from a copy that has an empty one.
build_alertmanager() {
  local source
  source=$(cd "$here" && go mod download -json github.com/prometheus/alertmanager@v0.34.2 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  scratch alertmanager
  cp -r "$source" src
  chmod -R u+w src
  mkdir -p src/ui/app/dist
  echo '<!doctype html>' >src/ui/app/dist/index.html
  compile '' -o "$bin/" github.com/prometheus/alertmanager/cmd/alertmanager github.com/prometheus/alertmanager/cmd/amtool
}

build_jaeger() {
  scratch jaeger
  compile '' -o "$bin/jaeger" github.com/jaegertracing/jaeger/cmd/jaeger
}

build_kubernetes() {
  scratch kubernetes
  compile "$(kubernetes_version)" -o "$bin/" k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
  compile '' -o "$bin/etcd" go.etcd.io/etcd/server/v3
}

# kwok brings no stages of its own: the files of its module say how a fake node and a fake pod live.
build_controllers() {
  scratch controllers kubernetes
  compile "$(kubernetes_version)" -o "$bin/" k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler
  go install sigs.k8s.io/kwok/cmd/kwok@v$KWOK
  local source file
  source=$(cd "$here" && go mod download -json sigs.k8s.io/kwok@v$KWOK | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  for file in "$source"/kustomize/stage/{node/fast,node/heartbeat,pod/fast}/*.yaml; do
    case $file in */kustomization.yaml) continue ;; esac
    echo '---'
    cat "$file"
  done >"$bin/kwok-stages.yaml"
}

build_kube-state-metrics() {
  scratch kube-state-metrics
  compile '' -o "$bin/kube-state-metrics" k8s.io/kube-state-metrics/v2
}

# OpenSearch stands in for Elasticsearch where a program only speaks the common part of their API (Jaeger's storage).
build_opensearch() {
  local to=$cache/opensearch
  rm -rf "$to"
  mkdir -p "$to"
  mvn --quiet --batch-mode -f "$here/opensearch/pom.xml" -DoutputDirectory="$to/lib" dependency:copy-dependencies
  javac -cp "$to/lib/*" -d "$to/classes" "$here/opensearch/OpenSearchMain.java"
  cat >"$bin/opensearch" <<END
#!/bin/sh
exec java \${OPENSEARCH_JAVA_OPTS:--Xms256m -Xmx512m} -cp "$to/classes:$to/lib/*" OpenSearchMain "\$@"
END
  chmod +x "$bin/opensearch"
}

# Has no go.mod of its own: `go install` of its version would take whatever its dependencies are today.
build_h2spec() {
  scratch h2spec
  compile '' -o "$bin/h2spec" github.com/summerwind/h2spec/cmd/h2spec
}

# A client of ours (modules/grpc-go/main.go).
build_grpc-go() {
  scratch grpc-go
  compile '' -o "$bin/grpc-go" .
}

# A client of ours, too.
build_java-grpc() {
  local to=$cache/java-grpc
  rm -rf "$to"
  mkdir -p "$to"
  mvn --quiet --batch-mode -f "$here/java-grpc/pom.xml" -DoutputDirectory="$to/lib" dependency:copy-dependencies
  javac -cp "$to/lib/*" -d "$to/classes" "$here/java-grpc/GrpcCalls.java"
  cat >"$bin/java-grpc" <<END
#!/bin/sh
exec java -cp "$to/classes:$to/lib/*" GrpcCalls "\$@"
END
  chmod +x "$bin/java-grpc"
}

# Wheels only: the source of grpcio takes an hour and a C++ compiler. Without a package index it is skipped (3), as without a tool.
build_python-grpc() {
  local to=$cache/python-grpc
  rm -rf "$to"
  python3 -m venv "$to"
  "$to/bin/pip" --disable-pip-version-check index versions grpcio || { echo 'the Python package index cannot be reached'; exit 3; }
  "$to/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/python-grpc/requirements.txt"
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$to/bin/python" >"$bin/python-grpc"
  chmod +x "$bin/python-grpc"
}

# needs_of NAME: the tools that must be on PATH. A python3 without its venv module (Debian has it apart) is none.
needs_of() {
  case $1 in
    opensearch | java-grpc) echo java javac mvn ;;
    python-grpc) if python3 -c 'import venv, ensurepip' 2>/dev/null; then echo python3; else echo python3-venv; fi ;;
    *) echo go ;;
  esac
}
