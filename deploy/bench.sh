#!/usr/bin/env bash
# Measures, on a development control plane of its own that goes when it ends. Arguments go to
# cmd/bench, such as -only create or -profile DIR.
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory build devcluster "$PWD/.cache/bin/helm"

state=$(mktemp -d -t shopwright-bench-XXXXXX)
finish() {
	bin/devcluster down --state "$state/cluster" --wipe || true
	rm -rf "$state"
}
trap finish EXIT

bin/devcluster up --state "$state/cluster" \
	--role charts/platform/templates/clusterrole.yaml --role charts/platform/templates/policy.yaml --source deploy/devcluster >&2
go run ./cmd/bench -cluster "$state/cluster" -helm "$PWD/.cache/bin/helm" -binary "$PWD/bin/shopwright" "$@"
