#!/usr/bin/env bash
# Builds the release in dist/VERSION once more, from a clone in another directory, with another file mode mask and
# without Go's build cache, and compares the files: `make release-verify VERSION=0.1.0` calls it.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=${1:-}
[ -f "dist/$version/SHA256SUMS" ] || { echo "There is no release in dist/$version. Run: make release VERSION=$version" >&2; exit 1; }
elsewhere=$(mktemp -d)
trap 'chmod -R u+w "$elsewhere"; rm -rf "$elsewhere"' EXIT

umask 077
git clone --quiet --no-hardlinks . "$elsewhere/a directory with another name"
TOOLS=${TOOLS:-$PWD/.cache/bin} GOCACHE=$elsewhere/cache "$elsewhere/a directory with another name/deploy/release/release.sh" "$version" >/dev/null
diff --recursive "dist/$version" "$elsewhere/a directory with another name/dist/$version"
echo "dist/$version: both builds are identical"
