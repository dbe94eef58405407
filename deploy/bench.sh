#!/usr/bin/env bash
# Measures, on a development control plane of its own that goes when it ends. Arguments go to
# cmd/bench, such as -only create or -profile DIR. -only backup measures the containers of a backup,
# which need a database and no cluster.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$*" = "-only backup" ]; then
	. deploy/need.sh
	need mariadb-server mariadbd mariadb-install-db
	install_needed "The backup’s measurements"
	make --no-print-directory "$PWD/.cache/bin/restic"
	SHOPWRIGHT_TEST_RESTIC=$PWD/.cache/bin/restic exec go test ./provisioner/engine -run '^$' -bench '^BenchmarkBackup$' -benchtime 1x -timeout 30m
fi

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
