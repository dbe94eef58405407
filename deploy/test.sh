#!/usr/bin/env bash
# Runs every test on real parts: both databases, a real control plane, a real browser.
# What is missing is installed where that is possible, and named where it is not.
# Arguments go to `go test` of the main module, such as -run TestX ./store.
set -euo pipefail
cd "$(dirname "$0")/.."

. deploy/need.sh
need gcc gcc
need git git
need zsh zsh
need fish fish
need nodejs node
need npm npm
need chromium /usr/bin/chromium
need php-cli php
need systemd systemd-analyze
need php-curl '/usr/lib/php/*/curl.so'
need docker.io /usr/sbin/dockerd /usr/bin/dockerd
need iproute2 ip
need iptables iptables
need postgresql '/usr/lib/postgresql/*/bin/initdb'
need pgbouncer pgbouncer
need mariadb-server mariadbd mariadb-install-db
install_needed "The tests"

make --no-print-directory build devcluster static/node_modules "$PWD/.cache/bin/helm" "$PWD/.cache/bin/restic" "$PWD/.cache/bin/cyclonedx-gomod"

state=$(mktemp -d -t shopwright-test-XXXXXX)
devcluster=$PWD/bin/devcluster
engines=()
finish() {
	"$devcluster" down --state "$state/cluster" --wipe || true
	docker image rm --force "${SHOPWRIGHT_TEST_IMAGE:-none}" >/dev/null 2>&1 || true
	for engine in "${engines[@]}"; do
		kill "$engine" && wait "$engine" || true
	done
	umount "$state"/*/exec/netns/* 2>/dev/null || true
	rm -rf "$state"
}
trap finish EXIT

# An engine of our own, which changes nothing of the machine's network.
start_engine() { # NAME COMMAND...
	local dir=$state/$1
	shift
	mkdir "$dir"
	"$@" --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/pid" --host "unix://$dir/socket" \
		--exec-opt native.cgroupdriver=cgroupfs >"$dir/log" 2>&1 &
	engines+=($!)
	timeout 60 sh -c 'until docker --host "unix://$1/socket" info >/dev/null 2>&1; do sleep 0.2; done' - "$dir" || { tail -n 20 "$dir/log" >&2; exit 1; }
}

# A Docker engine that runs here is used.
if ! docker info >/dev/null 2>&1; then
	if [ "$(id -u)" != 0 ]; then
		echo "The tests need a Docker engine that you may use, or root to start one." >&2
		exit 1
	fi
	start_engine docker dockerd --bridge none --iptables=false --ip6tables=false
	export DOCKER_HOST=unix://$state/docker/socket
	# Another one publishes ports, as people's do, in a network that is all its own.
	start_engine bridged unshare --net sh -c 'ip link set lo up && exec dockerd "$@"' -
	export SHOPWRIGHT_TEST_BRIDGED=$state/bridged
fi
version=test-${state##*-}
export SHOPWRIGHT_TEST_IMAGE=shopwright:$version
make --no-print-directory image "VERSION=$version" 2>"$state/image.log" || { cat "$state/image.log" >&2; exit 1; }
[ -z "${SHOPWRIGHT_TEST_BRIDGED:-}" ] || docker save "$SHOPWRIGHT_TEST_IMAGE" | docker --host "unix://$SHOPWRIGHT_TEST_BRIDGED/socket" load --quiet >/dev/null

"$devcluster" up --state "$state/cluster" \
	--role charts/platform/templates/clusterrole.yaml --role charts/platform/templates/policy.yaml --source deploy/devcluster
export SHOPWRIGHT_TEST_CLUSTER=$state/cluster
export SHOPWRIGHT_TEST_DEVCLUSTER=$devcluster
export SHOPWRIGHT_TEST_BINARY=$PWD/bin/shopwright
export SHOPWRIGHT_TEST_HELM=$PWD/.cache/bin/helm
export SHOPWRIGHT_TEST_RESTIC=$PWD/.cache/bin/restic
export SHOPWRIGHT_TEST_FIGURES=$state/figures

# Collecting garbage less often, for more memory, saves a tenth of what compilers and tests compute. It is no variable
# that a test reads, so results stay in the cache. Shopwright itself is started with an environment of its own.
export GOGC=400 GOMEMLIMIT=2GiB

# Races are looked for in whatever shares something. Libraries that only compute are left out, and so are bad
# pointers, which nothing here makes: that saves two fifths of the work.
racing=(-race -gcflags=all=-d=checkptr=0)
for library in modernc.org/sqlite/lib modernc.org/libc/... compress/... go.yaml.in/yaml/... text/template/parse crypto/internal/fips140/... hash/...; do
	racing+=("-gcflags=$library=-race=false")
done

# Most tests wait for a cluster, so more of them fit beside each other than there are cores. With too many, the API
# server and the browsers answer so slowly that deadlines pass which mean something to the tests.
if [ $# -gt 0 ]; then
	failed=0
	CGO_ENABLED=1 go test "${racing[@]}" -parallel 6 "$@" || failed=1
	cat "$SHOPWRIGHT_TEST_FIGURES" 2>/dev/null || true
	exit $failed
fi
# In the other packages it is the built program, Helm, PHP and the control plane that work, and in these tests one
# request follows another.
one_by_one='AsEveryRole$'
racy=$(go list ./provisioner/... ./views/... ./handlers/... ./store/... ./static/... | grep -v /provisioner/engine)
failed=0 # what follows a failure is tested too
CGO_ENABLED=1 go test "${racing[@]}" -p 2 -parallel 4 -timeout 75m -skip "$one_by_one" $racy || failed=1
go test -v -timeout 20m -run "$one_by_one" ./handlers || failed=1 # prints who may do what
# Not measuring coverage, as `make fuzz` does, saves building all that is linked once more. A number of inputs and no
# time: Go calls it a failure when the time is over in the middle of one (https://go.dev/issue/75804).
go test -c -o "$state/fuzz" ./handlers
for target in FuzzAPI FuzzForms; do
	(cd handlers && "$state/fuzz" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime 15000x -test.fuzzcachedir "$state/fuzzed") || failed=1
done
# A test of killing the program at every write has dozens of stores made at once, so few others run beside it.
go test -p 2 -parallel 3 -timeout 75m ./cmd/... ./charts/... ./provisioner/engine/... ./deploy/security ./deploy/docs ./deploy/release ./deploy/images/... || failed=1
go test -C deploy/devcluster -timeout 30m ./... || failed=1
cat "$SHOPWRIGHT_TEST_FIGURES" 2>/dev/null || true
exit $failed
