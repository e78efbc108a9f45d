# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by run.sh: runs steps under time limits and writes the report, again after each step, so that a run that is
# killed leaves what it had. Works on these variables:
#
#   out         folder of report.md, report.json and, at the end, logs.tar.gz
#   logs        folder of each step's output
#   records     folder of one record for each step: a few files whose names begin with its number and name
#   deadline    when everything has to end, in seconds of bash's SECONDS
#   processes   steps that may run beside each other
#   chosen      names of steps to run, or the groups that they begin with; empty for all
#   listing     not empty: steps are printed instead
#
# What the report says of a step is written once, when the step ends: starting processes takes time, too. What a step
# measured is the last line of its output that is a JSON object, and the lines that are rows of a table; or, if it is a
# step that writes them while it runs, NAME.json and NAME.md beside its output.

# A step that is killed has this long to end by itself, in seconds.
readonly grace=3
# Lines of its output that the report quotes.
readonly lines_of_success=4 lines_of_failure=30
readonly no_time="not run: no time left"

step_count=0
running=0
started_at=
title=
note=
finished=
# Names of steps that were not started, separated by commas.
postponed=

start_report() {
    logs=$(mktemp -d)
    records=$(mktemp -d)
    started_at=$(date -u '+%Y-%m-%d %H:%M:%S UTC')
    write_report
}

# Whether the step $1 is wanted.
wanted() {
    local name
    [ ${#chosen[@]} -gt 0 ] || return 0
    # Nothing runs before the archives are unpacked, and every report names the device.
    if [ -z "$listing" ] && [[ $1 == unpack-* || $1 == devices-driver ]]; then
        return 0
    fi
    for name in "${chosen[@]}"; do
        [[ $1 != "$name" && $1 != "$name"-* ]] || return 0
    done
    return 1
}

# While it is not empty, steps are left out, for this reason: something that this machine lacks.
lacking=
# Steps are not started if less than this is left, in seconds: they would end before they have measured anything.
least=2

# step NAME SECONDS COMMAND...: runs a command alone. The report is written when the next one starts.
step() {
    together
    beside "$@"
    while [ "$running" -gt 0 ]; do
        wait_for_one
    done
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
    printf -v record '%s/%03d-%s' "$records" "$step_count" "$name"
    step_count=$((step_count + 1))
    remaining=$((deadline - SECONDS))
    [ "$limit" -le "$remaining" ] || limit=$remaining
    if [ -n "$lacking" ]; then
        describe "$record" "$name" "left out" "" "" "" "$lacking"
    elif [ "$remaining" -lt "$least" ]; then
        describe "$record" "$name" "$no_time" "" "" "" ""
        postponed=$postponed${postponed:+,}$name
    else
        describe "$record" "$name" "not finished" "" "" "$limit" ""
        write_report
        run_step "$record" "$name" "$limit" "$@" &
        running=$((running + 1))
    fi
}

# Runs in a process of its own. timeout ends all processes of the step, also when it is ended itself.
run_step() {
    local record=$1 name=$2 limit=$3 log="$logs/$2.log" code=0 status child begin=$EPOCHREALTIME seconds
    shift 3
    timeout -k "$grace" "$limit" "$@" >"$log" 2>&1 </dev/null &
    child=$!
    trap 'kill "$child" 2>/dev/null; exit 143' TERM
    # Without the shell's own line about a signal.
    wait "$child" 2>/dev/null || code=$?
    # In tenths of seconds.
    seconds=$(((${EPOCHREALTIME/[.,]/} - ${begin/[.,]/}) / 100000))
    case $code in
        0) status=passed ;;
        77) status=skipped ;;
        126 | 127) status=missing ;;
        *)
            status=failed
            # Ended by a signal.
            [ "$code" -le 128 ] || status=crashed
            # timeout ended it, unless it was over before.
            if [[ $code == 124 || $code == 137 ]] && [ "$seconds" -ge $((10 * limit)) ]; then
                status="time limit"
            fi
            ;;
    esac
    describe "$record" "$name" "$status" "$code" "$((seconds / 10)).$((seconds % 10))" "$limit" ""
}

wait_for_one() {
    wait -n || true
    running=$((running - 1))
}

# Whether the step $1 has passed.
passed() {
    local file
    for file in "$records"/[0-9][0-9][0-9]-"$1".status; do
        [ "$(<"$file")" != passed ] || return 0
    done
    return 1
}

# Waits for all steps that were started.
together() {
    while [ "$running" -gt 0 ]; do
        wait_for_one
        write_report
    done
}

# describe RECORD NAME STATUS EXIT SECONDS LIMIT REASON: writes what the report says of a step.
describe() {
    local record=$1 name=$2 status=$3 code=$4 seconds=$5 limit=$6 lines last value='' count=$lines_of_failure
    local log=$logs/$name table=''
    [ "$status" != passed ] || count=$lines_of_success
    lines=$7
    if [ -n "$code" ]; then
        lines=$(tail -n "$count" "$log.log" | cut -c1-400 | clean)
        if [ -f "$log.json" ]; then
            value=$(clean <"$log.json")
            table=$(clean <"$log.md")
        else
            value=$(grep '^{.*}$' "$log.log" | tail -n 1 | clean)
            table=$(grep '^|' "$log.log" | clean)
        fi
    fi
    [ -z "$table" ] || printf '\n%s:\n\n%s\n' "$name" "$table" >"$record.table"
    [ -z "$value" ] || figure "$name" "$value" >"$record.figure"
    # Figures and tables have places of their own.
    last=$(grep -vE '^([{|]|WARNING: Using incubator)' <<<"$lines" | tail -n 1)
    last=${last:0:120}
    printf '| %s | %s | %s | %s | %s |\n' "$name" "$status" "$seconds" "$limit" "${last//|/\\|}" >"$record.row"
    if [ -n "$lines" ]; then
        printf '\n## %s: %s\n\n````\n%s\n````\n' "$name" "$status" "$lines" >"$record.section"
    fi
    printf '  {"name": "%s", "status": "%s", "exit": %s, "seconds": %s, "limit": %s, "result": %s, "lines": [%s]}' \
        "$name" "$status" "${code:-null}" "${seconds:-null}" "${limit:-null}" "${value:-null}" \
        "$(quoted_lines <<<"$lines")" >"$record.json"
    # Last, and at once: with it the step has ended.
    echo "$status" >"$record.status"
}

# Without control characters and invalid bytes.
clean() {
    { iconv -c -f UTF-8 -t UTF-8 || true; } 2>/dev/null | tr -d '\000-\010\013-\037\177'
}

# Each line as a JSON string, separated by commas.
quoted_lines() {
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' -e 's/^/"/' -e 's/$/"/' | paste -s -d ,
}

# The row of a table for the step $1 that printed a result $2 of `sgpt bench`; nothing for others.
figure() {
    local value=$2 key row
    for key in tokens texts pairs; do
        [[ $value =~ \"${key}_per_second\"[^}]*\"median\"\ ?:\ ?([0-9.eE+-]+) ]] || return 0
        printf -v row '%s | %.1f' "${row:-| $1}" "${BASH_REMATCH[1]}"
    done
    for key in products attention rest; do
        [[ $value =~ \"time\"[^}]*\"$key\"\ ?:\ ?([0-9.eE+-]+) ]] || return 0
        printf -v row '%s | %.2f' "$row" "${BASH_REMATCH[1]}"
    done
    echo "$row |"
}

# The output of all steps, in one file: results may be fetched from a machine that gives few files back.
pack_logs() {
    tar -C "$logs" -czf "$out/logs.tar.gz" .
}

# The report, whole or not at all.
write_report() {
    markdown >"$out/report.md.new" && mv "$out/report.md.new" "$out/report.md"
    json >"$out/report.json.new" && mv "$out/report.json.new" "$out/report.json"
}

# The files of all records that end in .$1, one after another.
all() {
    local files=("$records"/*."$1")
    [ ${#files[@]} -eq 0 ] || cat "${files[@]}"
}

markdown() {
    local figures
    echo "# First run on a GPU"
    echo
    echo "$started_at, ${title:-no GPU}. $(state)"
    [ -z "$note" ] || printf '\n%s\n' "$note"
    if [ -n "$postponed" ]; then
        printf '\nWhat there was no time for: `run.sh --only %s`\n' "$postponed"
    fi
    echo
    echo "| step | result | seconds | limit | last line |"
    echo "| --- | --- | ---: | ---: | --- |"
    all row
    figures=$(all figure)
    if [ -n "$figures" ]; then
        printf '\n| measured | tokens/s | texts/s | pairs/s | time in products | in attention | in the rest |\n'
        echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        echo "$figures"
    fi
    all table
    all section
}

# One sentence about all steps.
state() {
    local file status counts=''
    local -A count=()
    for file in "$records"/*.status; do
        status=$(<"$file")
        count[$status]=$((${count[$status]:-0} + 1))
    done
    for status in passed failed crashed "time limit" missing skipped "left out" "$no_time" "not finished"; do
        [ -z "${count[$status]:-}" ] || counts="$counts${counts:+, }${count[$status]} $status"
    done
    if [ -n "$finished" ]; then
        echo "$step_count steps: ${counts:-nothing}."
    else
        echo "**Not finished.** So far: ${counts:-nothing}."
    fi
}

json() {
    local file separator='' ended=false
    [ -z "$finished" ] || ended=true
    printf '{"started": "%s", "machine": %s, "finished": %s, "note": "%s", "steps": [' "$started_at" \
        "$(quoted_lines <<<"$title")" "$ended" "$note"
    for file in "$records"/*.json; do
        printf '%s\n%s' "$separator" "$(<"$file")"
        separator=,
    done
    printf '\n]}\n'
}
