#!/usr/bin/env bash
# Prove the README's commands on a bare Debian 12: `make bare`, as root, on a Debian host.
#
# A debootstrap chroot with python3, make and the host's Node 20 gets a fresh clone (of HEAD; with
# BARE_WORKTREE=1 the working tree) and runs `make run` twice and `make test`: once as root without
# python3-venv, once as an ordinary user with it.  How packages are reached (apt sources, pip and npm
# configuration, certificates) is taken from the host at run time; nothing of it is written here.
#
# BARE_AS="root user" says for whom; BARE_DIR where (default /var/tmp/xuezheng-bare; 4 GB each).
set -euo pipefail
cd "$(dirname "$0")/.."
work=${BARE_DIR:-/var/tmp/xuezheng-bare}
base=$work/base

fail() {
    echo "$1" >&2
    exit 1
}

timed() { # TITLE COMMAND...
    local title=$1 began
    shift
    began=$(date +%s)
    "$@" >"$work/step.log" 2>&1 </dev/null || {
        cat "$work/step.log" >&2
        fail "failed: $title"
    }
    echo "· $title $(($(date +%s) - began)) s"
}

apt_configuration() { # ROOT: the host's sources and settings, without stored logins
    local name
    rm -f "$1/etc/apt/sources.list"
    for name in sources.list sources.list.d apt.conf.d keyrings trusted.gpg.d; do
        [ ! -e "/etc/apt/$name" ] || cp -aT "/etc/apt/$name" "$1/etc/apt/$name"
    done
    cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
}

host_configuration() { # ROOT: pip, npm, certificates, Node
    local node npm file
    for file in /etc/pip.conf /usr/etc/npmrc; do
        [ ! -e "$file" ] || install -D -m 644 "$file" "$1$file"
    done
    cp -aT /etc/ssl/certs "$1/etc/ssl/certs"
    node=$(readlink -f "$(command -v node)")
    npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
    install -m 755 "$node" "$1/usr/bin/node"
    mkdir -p "$1/usr/lib/node_modules"
    cp -aT "$npm" "$1/usr/lib/node_modules/npm"
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/bin/npm"
}

in_chroot() { # ROOT COMMAND...: every process of it ends with it
    local root=$1
    shift
    unshare --mount --pid --fork --kill-child bash -c '
        root=$1; shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        chroot "$root" "$@" &  # a child: so that process 1 stays and buries the orphans
        wait $!' bare "$root" "$@"
}

make_base() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Codename: bookworm' 'Component: main' | head -n 1)
    [ -n "$mirror" ] || fail 'no apt source for Debian 12 (bookworm) on this host'
    rm -rf "$base"
    timed 'debootstrap' debootstrap --variant=minbase \
        --include=ca-certificates,make,python3 bookworm "$base" "$mirror"
    apt_configuration "$base"
    host_configuration "$base"
    timed 'apt-get update' in_chroot "$base" apt-get update
}

copy_checkout() { # TARGET
    if [ "${BARE_WORKTREE:-}" = 1 ]; then
        mkdir -p "$1"
        git ls-files -z --cached --others --exclude-standard |
            xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
            tar --create --null --files-from=- | tar --extract --directory="$1"
    else
        git clone --quiet --no-hardlinks . "$1"
    fi
    # Material beside the checkout that some tests read where it exists.
    [ ! -d ../shared ] || cp -aL ../shared "$(dirname "$1")/shared"
}

inside() { # runs in the chroot as the newcomer, in the clone
    set -eu
    commands() {
        ps_group() { # is a process of the group left, other than dead ones?
            local stat fields
            for stat in /proc/[0-9]*/stat; do
                read -r -a fields < <(sed 's/^.*) //' "$stat" 2>/dev/null) || continue
                [ "${fields[2]:-}" != "$1" ] || [ "${fields[0]}" = Z ] || return 0
            done
            return 1
        }
        for round in first second; do
            echo "== make run, $round time"
            local began=$SECONDS address='' group
            setsid make run >"$HOME/run.log" 2>&1 </dev/null &
            group=$!
            until [ -n "$address" ]; do
                address=$(grep -o 'http://127[0-9.]*:[0-9]*' "$HOME/run.log" | head -n 1) || true
                kill -0 "$group" 2>/dev/null || { cat "$HOME/run.log"; return 1; }
                [ $((SECONDS - began)) -lt 900 ] || { cat "$HOME/run.log"; return 1; }
                sleep 1
            done
            python3 -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=30)' \
                "$address/health/ready"
            sleep 2 # the table of sign-ins comes after the address
            cat "$HOME/run.log"
            echo "== /health/ready answers after $((SECONDS - began)) s"
            kill -TERM -- "-$group"
            wait "$group" || true
            while ps_group "$group"; do
                [ $((SECONDS - began)) -lt 960 ] || { echo 'does not stop'; return 1; }
                sleep 0.5
            done
        done
        echo '== make test'
        local tests=$SECONDS
        make test
        echo "== make test took $((SECONDS - tests)) s"
    }
    commands
}

newcomer() { # root | user
    local root=$work/$1 home account
    echo "== a newcomer: $1"
    rm -rf "$root"
    cp -a "$base" "$root"
    if [ "$1" = root ]; then
        home=/root account=root
    else
        home=/home/newcomer account=newcomer
        in_chroot "$root" useradd --create-home newcomer
        timed 'python3-venv' in_chroot "$root" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends python3-venv
    fi
    mkdir -p "$root$home/work"
    copy_checkout "$root$home/work/main"
    in_chroot "$root" chown -R "$account:" "$home"
    local settings=() name
    while IFS= read -r name; do
        settings+=("$name=${!name}")
    done < <(compgen -e | grep -iE '^(pip_|npm_config_|https?_proxy$|no_proxy$|ssl_cert|node_extra)')
    in_chroot "$root" setpriv --reuid="$account" --regid="$account" --init-groups \
        env -i "${settings[@]}" HOME="$home" USER="$account" LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c "cd ~/work/main; $(declare -f inside); inside"
    rm -rf "$root"
}

[ "$(id -u)" -eq 0 ] || fail 'make bare makes a chroot: run it as root'
command -v debootstrap >/dev/null || fail 'debootstrap is needed: apt-get install debootstrap'
mkdir -p "$work"
[ -e "$base/usr/bin/npm" ] || make_base
for who in ${BARE_AS:-root user}; do
    newcomer "$who"
done
