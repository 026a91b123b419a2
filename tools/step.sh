#!/bin/sh
# step.sh TITLE COMMAND...: run a command of the set-up quietly, with a dot every two seconds.
# Prints how long it took; if it failed, what it said.
set -u
title=$1
shift
said=$(mktemp)
trap 'rm -f "$said"' EXIT
trap 'kill "$work" 2>/dev/null; exit 130' INT TERM

printf '· %s ' "$title"
began=$(date +%s)
"$@" >"$said" 2>&1 </dev/null &
work=$!
(
    while sleep 2 && kill -0 "$work" 2>/dev/null; do printf '.'; done
) &
dots=$!
status=0
wait "$work" || status=$?
kill "$dots" 2>/dev/null
wait "$dots" 2>/dev/null
printf ' %s s\n' "$(($(date +%s) - began))"
if [ "$status" -ne 0 ]; then
    cat "$said" >&2
fi
exit "$status"
