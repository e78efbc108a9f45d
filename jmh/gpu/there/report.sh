# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: runs steps under time limits and writes the report, again after each step, so that a run that is
# killed leaves what it had. Works on these variables:
#
#   out         folder of report.md, report.json and logs/
#   deadline    when everything has to end, in seconds of bash's SECONDS
#   processes   steps that may run beside each other
#   chosen      names of steps to run, or the groups that they begin with; empty for all
#   listing     not empty: steps are printed instead

# A step that is killed has this long to end by itself.
readonly grace=3
# Lines of its output that the report quotes.
readonly lines_of_success=4 lines_of_failure=30

step_count=0
running=0
started_at=
title=
note=
finished=

start_report() {
    [ -z "$listing" ] || return 0
    mkdir -p "$out/logs"
    records=$(mktemp -d)
    started_at=$(date -u '+%Y-%m-%d %H:%M:%S UTC')
    write_report
}

# Whether the step $1 is wanted.
wanted() {
    local name
    [ ${#chosen[@]} -gt 0 ] || return 0
    for name in "${chosen[@]}"; do
        [[ $1 != "$name" && $1 != "$name"-* ]] || return 0
    done
    return 1
}

# What a step needs and this machine may lack: the next steps are recorded as left out, for the reason given.
lacking=
lacks() {
    lacking=$1
}

# step NAME SECONDS COMMAND...: runs a command alone.
step() {
    beside "$@"
    together
}

# beside NAME SECONDS COMMAND...: starts a command; up to $processes of them run at the same time.
beside() {
    local name=$1 limit=$2 remaining record
    shift 2
    wanted "$name" || return 0
    if [ -n "$listing" ]; then
        printf '%s\t%s\t' "$name" "$limit"
        printf '%q ' "$@"
        printf '\n'
        return
    fi
    while [ "$running" -ge "$processes" ]; do
        wait_for_one
    done
    step_count=$((step_count + 1))
    record=$records/$(printf '%03d' "$step_count")
    echo "$name" >"$record.name"
    remaining=$((deadline - SECONDS))
    [ "$limit" -le "$remaining" ] || limit=$remaining
    if [ -n "$lacking" ]; then
        echo "left out" >"$record.status"
        echo "$lacking" >"$out/logs/$name.log"
        return
    fi
    if [ "$limit" -lt 2 ]; then
        echo "no time left" >"$record.status"
        return
    fi
    echo "not finished" >"$record.status"
    echo "$limit" >"$record.limit"
    run_step "$record" "$out/logs/$name.log" "$limit" "$@" &
    running=$((running + 1))
    write_report
}

# Runs in a process of its own. timeout ends all processes of the step, also when it is ended itself.
run_step() {
    local record=$1 log=$2 limit=$3 code=0 status child begin=$EPOCHREALTIME
    shift 3
    timeout -k "$grace" "$limit" "$@" >"$log" 2>&1 </dev/null &
    child=$!
    trap 'kill "$child" 2>/dev/null; exit 143' TERM
    wait "$child" || code=$?
    case $code in
        0) status=passed ;;
        77) status=skipped ;;
        124 | 137) status="time limit" ;;
        126 | 127) status=missing ;;
        *) status=failed ;;
    esac
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f\n", b - a }' >"$record.seconds"
    echo "$code" >"$record.exit"
    echo "$status" >"$record.status"
}

wait_for_one() {
    wait -n || true
    running=$((running - 1))
    write_report
}

# Waits for all steps that were started.
together() {
    while [ "$running" -gt 0 ]; do
        wait_for_one
    done
    [ -n "$listing" ] || write_report
}

# The report, whole or not at all.
write_report() {
    markdown >"$out/report.md.new" && mv "$out/report.md.new" "$out/report.md"
    json >"$out/report.json.new" && mv "$out/report.json.new" "$out/report.json"
}

# Of the record $1, the part $2, or nothing.
part() {
    cat "$1.$2" 2>/dev/null || true
}

# The records, in order, without what follows the number.
all_records() {
    local name
    for name in "$records"/*.name; do
        [ -e "$name" ] && echo "${name%.name}"
    done
}

# The last $2 lines of the log $1 without control characters and invalid bytes.
last_lines() {
    [ -e "$1" ] || return 0
    tail -n "$2" "$1" | cut -c1-400 | clean
}

clean() {
    { iconv -c -f UTF-8 -t UTF-8 2>/dev/null || true; } | tr -d '\000-\010\013-\037\177'
}

# What a step measured: the last line of its log that is a JSON object.
result() {
    [ -e "$1" ] || return 0
    grep '^{.*}$' "$1" | tail -n 1 | clean || true
}

lines_for() {
    [ "$1" = passed ] && echo "$lines_of_success" || echo "$lines_of_failure"
}

markdown() {
    local record name status count
    echo "# First run on a GPU"
    echo
    echo "$started_at, ${title:-$(uname -srm)}. $(state)"
    [ -z "$note" ] || printf '\n%s\n' "$note"
    echo
    echo "| step | result | seconds | limit | last line |"
    echo "| --- | --- | ---: | ---: | --- |"
    for record in $(all_records); do
        name=$(part "$record" name)
        printf '| %s | %s | %s | %s | %s |\n' "$name" "$(part "$record" status)" "$(part "$record" seconds)" \
            "$(part "$record" limit)" "$(last_lines "$out/logs/$name.log" 1 | cut -c1-120 | sed 's/|/\\|/g')"
    done
    figures
    for record in $(all_records); do
        name=$(part "$record" name)
        status=$(part "$record" status)
        count=$(lines_for "$status")
        [ -s "$out/logs/$name.log" ] || continue
        printf '\n## %s: %s\n\n```\n' "$name" "$status"
        last_lines "$out/logs/$name.log" "$count" | sed 's/^```/ ```/'
        echo '```'
    done
}

# One sentence about all steps.
state() {
    local record counts
    counts=$(for record in $(all_records); do part "$record" status; done | sort | uniq -c |
        awk '{ n = $1; $1 = ""; printf "%s%d%s", comma, n, $0; comma = ", " }')
    if [ -n "$finished" ]; then
        echo "$step_count steps: $counts."
    else
        echo "**Not finished.** So far: ${counts:-nothing}."
    fi
}

# Tables of what the steps bench-* and compare-* measured.
figures() {
    local record name first=yes value
    for record in $(all_records); do
        name=$(part "$record" name)
        case $name in bench-* | gelu-*) ;; *) continue ;; esac
        value=$(result "$out/logs/$name.log")
        [ -n "$value" ] || continue
        if [ -n "$first" ]; then
            printf '\n| measured | tokens/s | texts/s | pairs/s | products | attention | the rest |\n'
            echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
            first=
        fi
        printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$name" "$(median tokens_per_second)" \
            "$(median texts_per_second)" "$(median pairs_per_second)" "$(share products)" "$(share attention)" \
            "$(share rest)"
    done
    for record in $(all_records); do
        name=$(part "$record" name)
        case $name in compare-*) ;; *) continue ;; esac
        if grep -q '^|' "$out/logs/$name.log" 2>/dev/null; then
            printf '\n'
            grep -E '^\|' "$out/logs/$name.log" | clean
        fi
    done
}

# The median of the rate $1 in $value, a result of `sgpt bench`.
median() {
    sed -n 's/.*"'"$1"'" *: *{ *"median" *: *\([0-9.eE+-]*\).*/\1/p' <<<"$value" | awk '{ printf "%.1f", $1 }'
}

share() {
    sed -n 's/.*"time" *: *{[^}]*"'"$1"'" *: *\([0-9.eE+-]*\).*/\1/p' <<<"$value" | awk '{ printf "%.0f %%", 100 * $1 }'
}

json() {
    local record name value separator=
    printf '{"started": %s, "machine": %s, "finished": %s, "note": %s, "steps": [' "$(quoted "$started_at")" \
        "$(quoted "${title:-}")" "$([ -n "$finished" ] && echo true || echo false)" "$(quoted "$note")"
    for record in $(all_records); do
        name=$(part "$record" name)
        value=$(result "$out/logs/$name.log")
        printf '%s\n  {"name": %s, "status": %s, "exit": %s, "seconds": %s, "limit": %s, "result": %s, "lines": [%s]}' \
            "$separator" "$(quoted "$name")" "$(quoted "$(part "$record" status)")" "$(number "$record" exit)" \
            "$(number "$record" seconds)" "$(number "$record" limit)" "${value:-null}" \
            "$(last_lines "$out/logs/$name.log" "$(lines_for "$(part "$record" status)")" | quoted_lines)"
        separator=,
    done
    printf '\n]}\n'
}

number() {
    local value
    value=$(part "$1" "$2")
    echo "${value:-null}"
}

quoted() {
    printf '%s\n' "$1" | head -n 1 | quoted_lines
}

# Each line as a JSON string, separated by commas.
quoted_lines() {
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' -e 's/^/"/' -e 's/$/"/' | paste -s -d ,
}
