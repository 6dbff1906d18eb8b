# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables here are read by the scripts that source it
# Shared by the scripts in this folder: source it, do not run it.
#
# A process that a script leaves running is written down as "pid stamp". The stamp is the moment the kernel started it,
# so that a pid which has since been given to somebody else is never ended by mistake.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything that runs keeps its state here; dev/test uses a folder of its own.
state=${MOORING_DEV_DIR:-$root/.dev}
script=${0##*/}

say() { printf 'dev/%s: %s\n' "$script" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# free_port: a port of 127.0.0.1 on which nobody listens, below the range that the kernel hands out by itself.
# Somebody may still take it before it is used: the caller tries again with another one.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

# stamp PID: what tells this process from a later one with the same pid; fails when there is no such process.
stamp() {
    if [[ -r /proc/$1/stat ]]; then
        local stat fields
        stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
        # The name may hold spaces and brackets, so count from its end; the 20th field after it is the start time.
        read -ra fields <<<"${stat##*) }"
        # A zombie has ended; only its parent has not looked yet.
        [[ ${fields[0]} != Z ]] || return 1
        echo "${fields[19]}"
    else
        ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' '_'
    fi | grep .
}

# alive PID STAMP: is it still that very process?
alive() { [[ -n ${1:-} && -n ${2:-} && $(stamp "$1") == "$2" ]]; }

# wait_for SECONDS COMMAND...: until the command succeeds; fails when the time is over.
wait_for() {
    local ends=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < ends)) || return 1
        sleep 0.1
    done
}

gone() { ! alive "$@"; }

# end_process PID STAMP [SIGNAL]: politely, then for good. Nothing happens when it has ended by itself.
end_process() {
    alive "${1:-}" "${2:-}" || return 0
    kill -s "${3:-TERM}" "$1" 2>/dev/null || true
    if ! wait_for 20 gone "$1" "$2"; then
        say "process $1 did not end when asked; killing it"
        kill -s KILL "$1" 2>/dev/null || true
        wait_for 5 gone "$1" "$2" || die "process $1 cannot be ended"
    fi
}

# start_process FILE LOG COMMAND...: in the background and in a session of its own, so that Ctrl-C on the terminal
# reaches the script alone, which then ends what it started in order. "pid stamp" goes to FILE.
start_process() {
    local file=$1 log=$2
    shift 2
    # Descriptor 9 is the lock of dev/test; a service that outlives it must not hold it.
    setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
    local pid=$!
    echo "$pid $(stamp "$pid")" >"$file"
}

# read_process FILE: sets `pid` and `pid_stamp`; both are empty when the file is not there.
read_process() {
    pid='' pid_stamp=''
    [[ ! -r $1 ]] || read -r pid pid_stamp <"$1" || true
}

# random_secret: 32 hexadecimal digits.
random_secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# print_env FILE: its MOORING_ lines as shell commands that export them.
print_env() {
    local line
    while IFS= read -r line; do
        [[ $line != MOORING_* ]] || printf 'export %s=%q\n' "${line%%=*}" "${line#*=}"
    done <"$1"
}
