# For scripts that need more than Go: `need PACKAGE COMMAND-OR-FILE...` notes a package of
# Debian's of which none is there, and `install_needed WHAT` installs all noted where it may.
missing=()
need() {
	local package=$1 path
	shift
	for path in "$@"; do
		if compgen -G "$path" >/dev/null || command -v "$path" >/dev/null; then return; fi
	done
	missing+=("$package")
}

install_needed() {
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "$1 need: ${missing[*]}. Install them, such as with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
		return 1
	fi
	# Another program may be installing something: it is waited for.
	apt-get update -qq -o DPkg::Lock::Timeout=600
	DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=600 -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
