# shellcheck shell=bash
# What the installers of the tests share. Sourced by scripts that end at the first error.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/target/tools
me=tests/$(basename "$0")

# To the terminal: an installer's standard output is the path that it prints.
say() {
    printf '%s: %s\n' "$me" "$1" >&2
}

# What is wrong, then what can be done about it, a line each.
fail() {
    local line
    for line in "$@"; do
        say "$line"
    done
    exit 1
}

# One installer of a kind at a time. The lock ends with the script.
lock() {
    mkdir -p "$tools"
    exec 9>"$tools/.$1.lock"
    flock --nonblock 9 || {
        say 'waiting for another that is installing this'
        flock 9
    }
}

# timed WHAT COMMAND...: says what happens, and how long it took.
timed() {
    local what=$1 start=$SECONDS
    shift
    say "installing $what"
    "$@"
    say "installed after $((SECONDS - start)) s"
}

# Makes every installer trust whom this system trusts, which behind a company's proxy is the
# company's own authority. npm and pip know but those that they bring along. What is configured
# already stays. apt has its own configuration, which stays in force.
trust_the_system() {
    local file
    for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
        [[ -n $file && -r $file ]] || continue
        export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$file}
        if ! python3 -m pip config get global.cert >/dev/null 2>&1; then
            export PIP_CERT=${PIP_CERT:-$file}
        fi
        if ! grep -qs cainfo "${CARGO_HOME:-${HOME:-}/.cargo}"/config{,.toml}; then
            export CARGO_HTTP_CAINFO=${CARGO_HTTP_CAINFO:-$file}
        fi
        return
    done
}

# Debian's packages, on the system: only where we may, and whether it worked shows in what runs then.
debian() {
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 0
    say "apt installs $*"
    { apt-get -qq update &&
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$@"; } >&2 || true
}
