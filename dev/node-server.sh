# shellcheck shell=bash
# Shared by dev/bluesky and dev/oidc: source it, do not run it. A server from npm that runs beside the tests.
#
# The script that sources it sets:
#   server        what it is, in words
#   name          the folder dev/$name.d holds package.json, package-lock.json and start.mjs
#   address       the variable that names its address
#   node_max      the newest major version of node that runs it, or nothing
# and defines `arguments`, which puts what start.mjs is told into the array `told`.

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2154 # `name` is set by the script that sources this
source_files=$root/dev/$name.d
install=$root/.dev/$name # one installation serves every run of this checkout
env_file=$state/$name.env
home=$state/$name.run
pid_file=$home/node.pid
told=()

# shellcheck disable=SC2154 # `server` and `address` are set by the script that sources this
start_server() {
    if running; then
        say "already running; 'dev/$name env' prints its address"
        return
    fi
    check_node
    install_once
    stop_server
    mkdir -p "$home"
    trap 'say "start failed; cleaning up"; trap - EXIT; stop_server' EXIT
    arguments
    local try
    for try in 1 2 3; do
        start_process "$pid_file" "$home/log" node "$install/start.mjs" "${told[@]}"
        read_process "$pid_file"
        if wait_for 90 ready_or_ended && [[ -r $env_file ]] && alive "$pid" "$pid_stamp"; then
            trap - EXIT
            say "$server listens on $(value "$address")"
            say "use it:  eval \"\$(dev/$name env)\"      end it:  dev/$name stop"
            return
        fi
        say "$server did not start (try $try)"
        end_process "$pid" "$pid_stamp"
    done
    tail -n 30 "$home/log" >&2
    die "$server does not start"
}

ready_or_ended() { [[ -r $env_file ]] || gone "$pid" "$pid_stamp"; }

running() {
    [[ -r $env_file ]] || return 1
    read_process "$pid_file"
    alive "$pid" "$pid_stamp"
}

must_run() { running || die "not running; 'dev/$name start' starts it"; }

show_env() {
    must_run
    print_env "$env_file"
}

stop_server() {
    rm -f "$env_file"
    read_process "$pid_file"
    end_process "$pid" "$pid_stamp"
    rm -rf "$home"
}

value() { sed -n "s/^$1=//p" "$env_file"; }

# ---- installation ----

# shellcheck disable=SC2154 # `node_max` is set by the script that sources this
check_node() {
    local tool major wanted="node 20 or newer"
    [[ -z $node_max ]] || wanted="node 20 to $node_max"
    for tool in node npm; do
        command -v "$tool" >/dev/null || die "$tool is missing: $wanted and npm are needed (apt-get install nodejs npm)"
    done
    major=$(node -p 'process.versions.node.split(".")[0]')
    ((major >= 20)) && [[ -z $node_max || $major -le $node_max ]] || die "node $major cannot run $server: $wanted is needed"
}

# install_once: what package-lock.json pins, checked by its hashes; done again when the lock file or node has changed.
install_once() {
    local wanted
    wanted="$(node -p process.versions.modules) $(cksum <"$source_files/package-lock.json")"
    mkdir -p "$install"
    cp "$source_files"/package.json "$source_files"/package-lock.json "$source_files"/*.mjs "$install/"
    [[ $(cat "$install/installed" 2>/dev/null) != "$wanted" ]] || return 0
    say "installing $server from npm (once)"
    # One part of Bluesky's is compiled here. Where the system has node's headers they are used, not downloaded.
    if [[ -z ${npm_config_nodedir:-} && -r /usr/include/node/node.h ]]; then
        export npm_config_nodedir=/usr
    fi
    rm -f "$install/installed"
    (cd "$install" && npm ci --no-audit --no-fund --loglevel=error) >&2 \
        || die "$server could not be installed from npm: the first start needs the internet"
    echo "$wanted" >"$install/installed"
}
