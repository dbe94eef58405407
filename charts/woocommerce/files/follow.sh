# Read by code.sh and setup.sh: which parts of the shop's code follow what the release brings.
# A part is WordPress itself, a plugin or a theme. A note of each says which version was brought;
# it is empty while that is being copied.
notes=/var/lib/shopwright

# From the head of a plugin or a theme: https://developer.wordpress.org/plugins/plugin-basics/header-requirements/
version_of() { sed -n 's/^[ \t\/*#@]*Version:[ \t]*\([^ \t\r*]*\).*/\1/p' "$1/$(basename "$1").php" "$1/style.css" 2>/dev/null | head -n 1; }

newer() { php -r 'exit(version_compare($argv[1], $argv[2], ">") ? 0 : 1);' -- "$1" "$2"; } # VERSION THAN

# Whether the wanted version is to be brought. What we have brought follows, to an older one
# too, so that going back goes back. What the merchant has updated since is only ever replaced
# by something newer. What the merchant has removed stays away, but for what no shop can be
# without.
is_due() { # PART WANTED PRESENT
	[ -n "$3" ] || case $1 in wordpress | plugins-woocommerce) return 0 ;; esac
	brought=$(cat "$notes/$1" 2>/dev/null || echo never)
	case $brought in
	"$2") return 1 ;;
	"" | "$3") return 0 ;;
	never) [ -z "$3" ] || newer "$2" "$3" ;;
	*) [ -n "$3" ] && newer "$2" "$3" ;;
	esac
}

bring() { # PART VERSION COMMAND...
	part=$1 version=$2
	shift 2
	echo "bringing $part $version"
	: >"$notes/$part"
	"$@"
	printf %s "$version" >"$notes/$part.new" && mv "$notes/$part.new" "$notes/$part"
}
