#!/bin/sh
# Restores a part of a restore point: restore.sh repository|files|database. The containers run in that
# order, and each may run again. restore.sh file prints a file of it. The password, the key and the address of the repository are files in
# $TARGET, so that no secret is an argument or a variable.
# This file is the same in the charts of all engines.
set -eu

export RESTIC_REPOSITORY_FILE="$TARGET/repository" RESTIC_PASSWORD_FILE="$TARGET/password"
export AWS_SHARED_CREDENTIALS_FILE="$TARGET/credentials" RESTIC_CACHE_DIR=/tmp/restic
AWS_DEFAULT_REGION=$(cat "$TARGET/region")
lookup=$(cat "$TARGET/lookup")
export AWS_DEFAULT_REGION
[ ! -s "$TARGET/ca.crt" ] || export RESTIC_CACERT="$TARGET/ca.crt"

# Nothing is written to the repository: a backup of the other store may be at work on it.
run() { "$WORK/restic" --quiet --no-lock --option "s3.bucket-lookup=$lookup" "$@"; }

# look reads an object of the repository. restic itself would try for a quarter of an hour.
look() {
	code=0
	timeout "$PATIENCE" "$WORK/restic" --quiet --no-lock --option "s3.bucket-lookup=$lookup" cat "$@" >/dev/null 2>"$WORK/said" || code=$?
	[ "$code" != 0 ] || return 0
	sed '/^[[:space:]]*$/d' "$WORK/said" >&2
	case $code in
	10) echo 'The target has no repository of the store' >&2 ;; # restic ends with its address
	124 | 130 | 143) echo "The target didn’t answer within $PATIENCE seconds" >&2 ;; # by timeout; of BusyBox it is restic's own
	esac
	exit "$code"
}

step=$1
shift
case $step in
repository)
	cp -f "$(command -v restic)" "$WORK/restic"
	look config
	look snapshot "$(cat "$TARGET/database-snapshot")"
	look snapshot "$(cat "$TARGET/files-snapshot")"
	;;
files) # FOLDER OPTIONS...: nothing else is left in the folder but what the options exclude
	folder=$1
	shift
	# Attributes such as SELinux labels belong to the node, and only root may set them.
	run restore "$(cat "$TARGET/files-snapshot"):$folder" --target "$folder" --delete --exclude-xattr='*' "$@"
	;;
file) # PATH
	run dump "$(cat "$TARGET/files-snapshot")" "$1"
	;;
database) # NAME COMMAND...: the command reads the dump. A pipeline would hide that restic failed.
	name=$1
	shift
	rm -f "$WORK/dump"
	mkfifo "$WORK/dump"
	run dump "$(cat "$TARGET/database-snapshot")" "/$name" >"$WORK/dump" 2>"$WORK/said" &
	sender=$!
	loaded=0 sent=0
	"$@" <"$WORK/dump" || loaded=$?
	wait "$sender" || sent=$?
	# 141 is the end of a writer whose reader is gone: then the command says why.
	if [ "$sent" != 0 ] && [ "$sent" != 141 ] && ! grep -q 'broken pipe' "$WORK/said"; then
		cat "$WORK/said" >&2
		exit "$sent"
	fi
	[ "$loaded" = 0 ] || exit "$loaded"
	exit "$sent"
	;;
esac
