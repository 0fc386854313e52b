#!/bin/sh
# Installs edge-collector from the folder that this file is in. It needs no internet, no compiler and no pip.
#
#   sudo sh install.sh                  install it, or upgrade it; the version before stays
#   sudo sh install.sh --service        the same, and have systemd run it (--serial: with serial lines)
#   sudo sh install.sh --rollback       back to the version before
#
#   --prefix DIR     where it goes (/opt/edge-collector); one of your own needs no root
#   --python PYTHON  the Python to use, where it is not found by itself
#   --signers FILE   only what is signed by one of these keys, now and at each upgrade (ssh-keygen's allowed signers)
#   --from DIR       an archive that is unpacked elsewhere: by the install.sh that is installed, and so trusted, already
set -eu
umask 022
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=/opt/edge-collector
settings=/etc/edge-collector/.env
python='' service='' serial='' rollback='' signers=''

die() {
    printf 'error: %s\n' "$1" >&2
    exit "${2:-1}"
}

while [ $# -gt 0 ]; do
    case $1 in
        --prefix) prefix=${2:?a folder is missing}; shift ;;
        --python) python=${2:?a program is missing}; shift ;;
        --signers) signers=${2:?a file is missing}; shift ;;
        --from) here=$(CDPATH='' cd -- "${2:?a folder is missing}" && pwd); shift ;;
        --service) service=yes ;;
        --serial) service=yes serial=--serial ;;
        --rollback) rollback=yes ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit ;;
        *) die "unknown: $1 (see: sh install.sh --help)" 2 ;;
    esac
    shift
done
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
mkdir -p "$prefix/versions" 2>/dev/null && [ -w "$prefix" ] ||
    die "$prefix can not be written: run it as root (sudo sh install.sh), or choose a folder by --prefix"

# --- versions: each in a folder of its own; `current` and `previous` are links

pointed_at() { readlink "$prefix/$1" || true; }

point() {  # Renamed into place: a power cut leaves the old link or the new one.
    ln -sfn "$2" "$prefix/.$1"
    mv -Tf "$prefix/.$1" "$prefix/$1"
}

works() { "$prefix/$1/bin/python" -P -m collector --version >/dev/null 2>&1; }

served_from_here() {
    command -v systemctl >/dev/null &&
        systemctl show --property=ExecStart edge-collector 2>/dev/null | grep -qF "$prefix/current/bin/python"
}

switch() {  # $1 becomes the current version, the one that was becomes the previous.
    before=$(pointed_at current)
    point current "$1"
    [ -z "$before" ] || point previous "$before"
    if served_from_here && ! systemctl try-restart edge-collector; then
        [ -n "$before" ] || die "the service did not start: journalctl -u edge-collector"
        point current "$before"
        point previous "$1"
        systemctl restart edge-collector || true
        die "$1 did not start, so $before runs again. Why: journalctl -u edge-collector"
    fi
}

if [ -n "$rollback" ]; then
    previous=$(pointed_at previous)
    [ -n "$previous" ] || die "there is no version before this one in $prefix"
    works "$previous" || die "$previous does not start any more; install it again from its archive"
    switch "$previous"
    echo "Back to $previous. The same command again returns to $(pointed_at previous)."
    exit
fi

# --- is all of it here, and is it for this machine?

[ -f "$here/SHA256SUMS" ] || die "no SHA256SUMS in $here: unpack the whole archive and run its install.sh"
kept=$prefix/allowed_signers
[ -n "$signers" ] || [ ! -e "$kept" ] || signers=$kept
if [ -n "$signers" ]; then
    [ -f "$signers" ] || die "$signers: there is no such file"
    [ -f "$here/SHA256SUMS.sig" ] || die "this archive is not signed, and must be by a key of $signers"
    command -v ssh-keygen >/dev/null || die "ssh-keygen checks the signature: apt-get install openssh-client"
    ssh-keygen -Y verify -f "$signers" -I edge-collector -n edge-collector -s "$here/SHA256SUMS.sig" \
        <"$here/SHA256SUMS" >/dev/null 2>&1 || die "the signature is of no key of $signers, or the archive was changed"
fi
damaged=$(cd "$here" && LC_ALL=C sha256sum -c SHA256SUMS 2>/dev/null | grep -v ': OK$' || true)
[ -z "$damaged" ] || die "damaged or missing, copy the archive again:
$damaged"
read -r version machine pythons <"$here/BUNDLE"
[ "$(uname -m)" = "$machine" ] || die "this archive is for $machine, this machine is $(uname -m): take the other archive"
# A wheel that no checksum vouches for might be found before one of ours.
foreign=$(cd "$here" && find wheels ! -type d |
    awk 'FILENAME == "SHA256SUMS" { listed[substr($0, 67)]; next } !($0 in listed)' SHA256SUMS -)
[ -z "$foreign" ] || die "not of this archive, unpack it again into a new folder:
$foreign"

fits() {  # A service sees neither /home nor /root, where pyenv and the like put theirs.
    # shellcheck disable=SC2086 # one argument a version
    "$1" -c 'import sys, venv
hidden = sys.argv[1] and sys.base_prefix.startswith(("/home/", "/root/"))
sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv[2:] or sys.maxsize < 2**32 or bool(hidden))' \
        "$service" $pythons 2>/dev/null
}
for candidate in ${python:-python3 python3.13 python3.12 python3.11}; do
    if fits "$candidate"; then
        python=$(command -v "$candidate")
        found=yes
        break
    fi
done
[ -n "${found:-}" ] || die "no Python that fits: one of $pythons, with 64 bits and its venv module (apt-get install python3-venv), is needed${service:+,
       outside of /home and /root, which the service can not see};
       where it has another name: --python /path/to/python"
"$python" -c 'import os; os.confstr("CS_GNU_LIBC_VERSION")' 2>/dev/null ||
    die "this Linux has no glibc (Alpine?): use the container image"

# --- install

name=versions/$version-$(sha256sum "$here/SHA256SUMS" | cut -c1-8)
if [ -e "$prefix/$name/complete" ] && works "$name" && fits "$prefix/$name/bin/python"; then
    echo "$name is there already."
else
    echo "Installing $name with $("$python" --version) ..."
    rm -rf "${prefix:?}/$name"
    "$python" -m venv --without-pip "$prefix/$name" || die "no virtual environment: apt-get install python3-venv"
    set -- "$here"/wheels/pip-*.whl
    # Only what lies here counts, whatever pip is told elsewhere on this machine.
    PIP_CONFIG_FILE=/dev/null "$prefix/$name/bin/python" "$1/pip" --isolated install --quiet --no-cache-dir \
        --disable-pip-version-check --no-index --find-links "$here/wheels" --only-binary :all: \
        --require-hashes --requirement "$here/requirements.lock" || die "not installed; what ran before runs on"
    works "$name" || die "it is installed but does not start; what ran before runs on"
    sync
    touch "$prefix/$name/complete"
fi

mkdir -p "$prefix/bin"
# The link is in the path, not the version: what is started by it stays right after an upgrade.
printf '#!/bin/sh\nexec "%s/current/bin/python" -P -m collector "$@"\n' "$prefix" >"$prefix/bin/.edge-collector"
chmod 755 "$prefix/bin/.edge-collector"
mv -f "$prefix/bin/.edge-collector" "$prefix/bin/edge-collector"
# Renamed into place: a shell reads on in a file that it runs.
cp "$here/install.sh" "$prefix/.install.sh"
mv -f "$prefix/.install.sh" "$prefix/install.sh"
if [ -n "$signers" ] && [ "$signers" != "$kept" ]; then
    cp "$signers" "$prefix/.allowed_signers"
    mv -f "$prefix/.allowed_signers" "$kept"
fi

[ "$(pointed_at current)" = "$name" ] || switch "$name"
for each in "$prefix"/versions/*; do
    case versions/${each##*/} in "$(pointed_at current)" | "$(pointed_at previous)") ;; *) rm -rf "$each" ;; esac
done

previous=$(pointed_at previous)
echo "Installed: $prefix/bin/edge-collector, $("$prefix/bin/edge-collector" --version)"
[ -z "$previous" ] || echo "Back to $previous: sh $prefix/install.sh --rollback"

if [ -n "$service" ] && [ ! -e "$settings" ]; then
    install -D -m 600 "$here/env.example" "$settings" || die "$settings can not be written: run it as root"
    echo "Now fill in the first lines of $settings. Try them: sudo $prefix/bin/edge-collector doctor
Then: sudo $prefix/bin/edge-collector install-service${serial:+ $serial}"
elif [ -n "$service" ]; then
    # shellcheck disable=SC2086 # empty: no argument
    "$prefix/bin/edge-collector" install-service $serial
else
    echo "As a service: sudo sh $here/install.sh --service"
fi
