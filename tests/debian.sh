# shellcheck shell=bash
# How installers take binaries out of Debian's packages, without installing any. Sourced after
# installing.sh. Works as root and as a normal user.

# Every place from which this machine gets Debian packages, likely ones first, one a line.
mirrors() {
    {
        # One-line format: deb [options] URI suite component...
        find /etc/apt -maxdepth 2 -name '*.list' -exec cat {} + 2>/dev/null |
            sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]+)[[:space:]]+.*/\2/p'
        # deb822 format: URIs may be many, and may go on in indented lines.
        find /etc/apt -maxdepth 2 -name '*.sources' -exec awk '
            { line = $0 }
            tolower(line) ~ /^uris:/ { uris = 1; sub(/^[^:]*:/, "", line) }
            tolower($0) !~ /^uris:/ && $0 !~ /^[ \t#]/ { uris = 0 }
            uris && line !~ /^[ \t]*#/ { n = split(line, parts, /[ \t]+/); for (i = 1; i <= n; i++) if (parts[i] != "") print parts[i] }
        ' {} \; 2>/dev/null
    } | sed 's#/*$##' | grep -v security | awk '
        seen[$0]++ { next }
        /\/debian$/ { print; next }
        { rest = rest $0 "\n" }
        END { printf "%s", rest }'
}

keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
        if [[ -r $file ]]; then
            printf '%s\n' "$file"
            return
        fi
    done
    fail 'the Debian archive keyring is missing (package debian-archive-keyring)'
}

# Unpacks these packages of a suite from one mirror into $work/root.
get_from() {
    local work=$1 mirror=$2 signed_by=$3 suite=$4 package
    shift 4
    rm -rf "$work"
    mkdir -p "$work"/{lists/partial,cache/archives/partial,state,root}
    printf 'deb [signed-by=%s] %s %s main\n' "$signed_by" "$mirror" "$suite" >"$work/sources.list"
    : >"$work/state/status"
    # The machine's own apt.conf stays in force: it knows about proxies and certificates.
    local apt=(apt-get -qq
        -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State=$work/state" -o "Dir::State::lists=$work/lists"
        -o "Dir::State::status=$work/state/status" -o "Dir::Cache=$work/cache"
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3)
    "${apt[@]}" update >&2 && (cd "$work" && "${apt[@]}" download "$@" >&2) || return
    for package in "$work"/*.deb; do
        dpkg-deb -x "$package" "$work/root" || return
    done
}

# unpacked WORK SUITE CHECK PACKAGE...: unpacks these packages into WORK/root, from the first mirror of
# this machine where they are and where `CHECK WORK/root` succeeds.
unpacked() {
    local command mirror signed_by work=$1 suite=$2 check=$3
    shift 3
    for command in apt-get dpkg-deb; do
        command -v "$command" >/dev/null || fail "needs $command: this is not a Debian system"
    done
    signed_by=$(keyring)
    while read -r mirror; do
        if get_from "$work" "$mirror" "$signed_by" "$suite" "$@" && "$check" "$work/root"; then
            return
        fi
    done < <(mirrors)
    rm -rf "$work"
    fail "no package source of this machine's apt has $* for Debian $suite, or none answers"
}
