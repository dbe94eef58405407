#!/usr/bin/env bash
# Runs every test on real parts: both databases, a real control plane, a real browser.
# What is missing is installed where that is possible, and named where it is not.
# Arguments go to `go test` of the main module, such as -run TestX ./store.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { # PACKAGE COMMAND...
	local package=$1
	shift
	for path in "$@"; do
		if compgen -G "$path" >/dev/null || command -v "$path" >/dev/null; then return; fi
	done
	missing+=("$package")
}
need gcc gcc
need git git
need nodejs node
need npm npm
need chromium /usr/bin/chromium
need postgresql '/usr/lib/postgresql/*/bin/initdb'
if [ ${#missing[@]} -gt 0 ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "The tests need: ${missing[*]}. Install them, such as with: sudo apt-get install ${missing[*]}" >&2
		exit 1
	fi
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

make --no-print-directory build devcluster static/node_modules

state=$(mktemp -d -t shopwright-test-XXXXXX)
devcluster=$PWD/bin/devcluster
finish() {
	"$devcluster" down --state "$state/cluster" --wipe || true
	rm -rf "$state"
}
trap finish EXIT

"$devcluster" up --state "$state/cluster" --role charts/platform/templates/clusterrole.yaml --source deploy/devcluster
export SHOPWRIGHT_TEST_CLUSTER=$state/cluster
export SHOPWRIGHT_TEST_DEVCLUSTER=$devcluster
export SHOPWRIGHT_TEST_BINARY=$PWD/bin/shopwright

# Most tests wait for a cluster, so more of them fit beside each other than there are cores.
export CGO_ENABLED=1
if [ $# -gt 0 ]; then
	go test -race -parallel 6 "$@"
	exit
fi
go test -race -parallel 6 -timeout 20m ./...
CGO_ENABLED=0 go test -C deploy/devcluster -timeout 15m ./...
