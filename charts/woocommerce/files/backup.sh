#!/bin/sh
# Makes a snapshot of a restore point, or the repository for it: backup.sh repository|database|files|manifest.
# The containers run in that order. What a later one needs is left in $WORK. The password, the key and
# the address of the repository are files in $TARGET, so that no secret is an argument or a variable.
# This file is the same in the charts of all engines.
set -eu

export RESTIC_REPOSITORY_FILE="$WORK/repository" RESTIC_PASSWORD_FILE="$TARGET/password"
export AWS_SHARED_CREDENTIALS_FILE="$TARGET/credentials" RESTIC_CACHE_DIR=/tmp/restic
AWS_DEFAULT_REGION=$(cat "$TARGET/region")
lookup=$(cat "$TARGET/lookup")
export AWS_DEFAULT_REGION
[ ! -s "$TARGET/ca.crt" ] || export RESTIC_CACERT="$TARGET/ca.crt"

run() { "$WORK/restic" --quiet --option "s3.bucket-lookup=$lookup" "$@"; }

# restic itself would try for a quarter of an hour.
briefly() { timeout "$PATIENCE" "$WORK/restic" --quiet --option "s3.bucket-lookup=$lookup" "$@"; }

# The host is always the same: restic compares files with the last snapshot of the same host.
snapshot() { run backup --json --host store --tag "point=$POINT" --tag "part=$step" "$@"; }

# place chooses the repository: that of the store, or another one beside it.
place() { printf '%s%s' "$(cat "$TARGET/repository")" "$1" >"$WORK/repository"; }

# find_repository looks for the repository. 10 is restic's code for none.
find_repository() {
	for suffix in '' -2 -3; do
		place "$suffix"
		code=0
		briefly --no-lock cat config >/dev/null 2>"$WORK/said" || code=$?
		[ "$code" = 10 ] || return "$code"
	done
	return 10
}

# make_repository makes one. One whose making was interrupted can't be completed: the next place is taken.
make_repository() {
	for suffix in '' -2 -3; do
		place "$suffix"
		code=0
		briefly init >/dev/null 2>"$WORK/said" || code=$?
		[ "$code" != 0 ] || return 0
	done
	return "$code"
}

# forget deletes the snapshots that are listed in a file. restic skips one that is gone already, and likewise
# one that it can't read: only a new list tells which are gone.
forget() {
	# shellcheck disable=SC2046 # each word is the id of a snapshot
	briefly forget $(cat "$TARGET/forget") >/dev/null &&
		briefly snapshots --json >"$WORK/left" &&
		sed 's/.*/"id":"&"/' "$TARGET/forget" >"$WORK/gone" &&
		! grep -q -F -f "$WORK/gone" "$WORK/left"
}

# clean_up deletes the snapshots of points that are not kept, and the data that no snapshot uses if a file
# says so. The new point is written already: a failure is only reported.
clean_up() {
	forgotten=false pruned=false code=0
	if [ -s "$TARGET/forget" ]; then forget 2>"$WORK/said" || code=$?; fi
	if [ "$code" = 0 ]; then
		forgotten=true
		if [ -s "$TARGET/prune" ]; then briefly prune >/dev/null 2>"$WORK/said" && pruned=true || code=$?; fi
	fi
	case $code in
	0) why='' ;;
	124) why="it didn’t end within $PATIENCE seconds" ;; # by timeout
	*) why="exit code $code: $(tail -n 1 "$WORK/said" | tr -d '"\\' | tr '[:cntrl:]' ' ' | cut -c 1-300)" ;;
	esac
	printf '{"forgotten":%s,"pruned":%s,"failed":"%s"}' "$forgotten" "$pruned" "$why"
}

summary() { grep '"message_type":"summary"' "$WORK/$1.json"; }

step=$1
shift
case $step in
repository)
	cp -f "$(command -v restic)" "$WORK/restic"
	code=0
	find_repository || code=$?
	[ "$code" != 10 ] || { code=0; make_repository || code=$?; }
	# What a killed run has locked stays locked for half an hour otherwise. No other run is at work on the
	# repository: Shopwright and the Job see to that.
	[ "$code" != 0 ] || briefly unlock --remove-all >/dev/null 2>"$WORK/said" || code=$?
	[ "$code" = 0 ] || { cat "$WORK/said" >&2; exit "$code"; }
	;;
database) # NAME COMMAND...: a dump that fails leaves no snapshot
	name=$1
	shift
	snapshot --stdin-filename "$name" --stdin-from-command -- "$@" >"$WORK/database.json"
	;;
files) # OPTIONS AND FOLDERS...: files that can't be read fail the backup
	snapshot "$@" >"$WORK/files.json"
	;;
manifest)
	database=$(summary database)
	files=$(summary files)
	locked=$(cat "$WORK/locked" 2>/dev/null || echo 0)
	contents=$(cat "$WORK/contents" 2>/dev/null || echo null)
	printf '{"store":%s,"database":%s,"files":%s,"locked_tables":%s,"contents":%s}\n' "$(cat "$TARGET/store.json")" "$database" "$files" "$locked" "$contents" >"$WORK/content"
	snapshot --stdin --stdin-filename manifest.json <"$WORK/content" >"$WORK/manifest.json"
	manifest=$(summary manifest)
	repository=$(cat "$WORK/repository")
	made=$(printf '"repository":"%s","database":%s,"files":%s,"manifest":%s,"locked_tables":%s,"contents":%s' "${repository##*/}" "$database" "$files" "$manifest" "$locked" "$contents")
	printf '{%s}\n' "$made" >"$REPORT" # in case the rest is killed
	cleanup=$(clean_up)
	printf '{%s,"cleanup":%s}\n' "$made" "$cleanup" >"$REPORT"
	;;
esac
