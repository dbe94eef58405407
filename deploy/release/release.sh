#!/usr/bin/env bash
# Builds the files of a release into dist/VERSION: `make release VERSION=0.1.0` calls it. The same commit and the same
# Go give the same bytes, in whichever directory. It makes no tag and publishes nothing. TARGETS="linux/amd64" builds
# for fewer platforms, to try it.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."

version=${1:-}
tools=${TOOLS:-$PWD/.cache/bin}
out=$PWD/dist/$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

refuse() { echo "$1" >&2; exit 1; }

# GNU tar sorts, and sets times and owners.
tar=tar
if command -v gtar >/dev/null; then tar=gtar; fi
sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# The section of the version, without its heading and the links at the end of the file.
notes() {
	awk -v heading="## [$version]" '
		index($0, "## ") == 1 { inside = index($0, heading) == 1; next }
		inside && !/^\[[^]]+\]: / { if ($0 != "") { printf "%s%s\n", gap, $0; gap = ""; found = 1 } else if (found) gap = gap "\n" }' CHANGELOG.md
}

check() {
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || refuse "\"$version\" is not a version. Name one, such as: make release VERSION=0.1.0"
	[ -n "${LDFLAGS:-}" ] || refuse "LDFLAGS are not set. Run: make release VERSION=$version"
	"$tar" --version 2>/dev/null | grep -q GNU || refuse "The archives need GNU tar. Install it; on macOS: brew install gnu-tar"
	[ -z "$(git status --porcelain)" ] || refuse "The working tree has changes that are not committed. Commit or remove them, then run it again."
	notes >"$work/notes.md"
	[ -s "$work/notes.md" ] || refuse "CHANGELOG.md has no section \"## [$version]\", or it is empty. Write it, commit it, then run it again."
}

# pack ARCHIVE DIRECTORY NAME...: the files in the order of their names, with one time and owner.
pack() {
	local archive=$1 directory=$2
	shift 2
	(cd "$directory" && find "$@" -type f | sort) |
		"$tar" --create --directory "$directory" --files-from - --format ustar --mode 'u=rwX,go=rX' \
			--mtime "@$SOURCE_DATE_EPOCH" --owner 0 --group 0 --numeric-owner | gzip --best --no-name >"$archive"
}

build() {
	local os=$1 arch=$2 name=shopwright_${version}_$1_$2
	mkdir "$work/$name"
	GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -ldflags "$LDFLAGS" -o "$work/$name/shopwright" ./cmd/shopwright
	cp LICENSE "$work/$name/LICENSE"
	cp static/dist/notices.txt "$work/$name/NOTICES.txt"
	pack "$out/$name.tar.gz" "$work" "$name"
	"$tools/cyclonedx-gomod" bin -json -std -noserial -notimestamp -version "v$version" -output "$out/$name.cdx.json" "$work/$name/shopwright"
}

# Helm writes the time of the packaging into its archive, so that is packed again.
chart() {
	mkdir "$work/packaged" "$work/chart"
	"$tools/helm" package charts/platform --version "$version" --app-version "$version" --destination "$work/packaged" >/dev/null
	"$tar" --extract --touch --gzip --file "$work/packaged/shopwright-$version.tgz" --directory "$work/chart"
	pack "$out/shopwright-$version.tgz" "$work/chart" shopwright
}

# What runs here must say the version that it was built for.
check_binary() {
	local binary said
	binary=$work/shopwright_${version}_$(go env GOHOSTOS)_$(go env GOHOSTARCH)/shopwright
	[ -x "$binary" ] || return 0
	said=$("$binary" version)
	[ "$said" = "shopwright $version" ] || refuse "The binary says \"$said\" instead of \"shopwright $version\". Check LDFLAGS in the Makefile."
}

check
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT=
umask 022
rm -rf "$out"
mkdir -p "$out"
for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}; do
	build "${target%/*}" "${target#*/}"
done
check_binary
chart
cp "$work/notes.md" "$out/release-notes.md"
(cd "$out" && sha256 -- *.cdx.json *.tar.gz *.tgz release-notes.md >SHA256SUMS)
echo "dist/$version:"
cat "$out/SHA256SUMS"
