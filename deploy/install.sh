#!/bin/sh
# Install this bundle without a network:  sh install.sh [FOLDER]      (default /opt/xuezheng)
# May be repeated, and run for a new version beside an old one; data are not touched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-/opt/xuezheng}
version=$(cat "$here/VERSION")
wanted=$(cat "$here/PYTHON")
machine=$(cat "$here/MACHINE")

fail() {
    echo "$1" >&2
    exit 1
}

(cd "$here" && sha256sum --quiet -c SHA256SUMS) ||
    fail '安装包不完整或被改动 / the bundle is incomplete or was altered'
[ "$(uname -m)" = "$machine" ] || fail "安装包用于 $machine / the bundle is for $machine"
python=${PYTHON:-python$wanted}
command -v "$python" >/dev/null ||
    fail "需要 Python $wanted（或用 PYTHON=路径 指定）/ Python $wanted is needed (or PYTHON=path)"
"$python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$wanted')" ||
    fail "安装包用于 Python $wanted / the bundle is for Python $wanted"

release="$target/releases/$version"
made="$release.new"
rm -rf "$made"
mkdir -p "$made/bin"
cp -R "$here/program/." "$made/"
# Without pip in it: Debian keeps that in a package of its own.  The bundle's pip is run from its wheel.
"$python" -m venv --without-pip "$made/venv"
"$made/venv/bin/python" "$(ls "$here"/pip/pip-*.whl)/pip" install --quiet --no-index \
    --disable-pip-version-check --no-input --find-links "$here/wheels" --require-hashes \
    -r "$here/requirements.txt"
cat >"$made/bin/xuezheng" <<'EOF'
#!/bin/sh
release=$(dirname "$(dirname "$(readlink -f "$0")")")
PYTHONPATH=$release exec "$release/venv/bin/python" -m xuezheng.config.cli "$@"
EOF
chmod 755 "$made/bin/xuezheng"
"$made/venv/bin/python" -m compileall -q "$made/xuezheng" >/dev/null
rm -rf "$release"
mv "$made" "$release"
chmod -R go-w "$release"
ln -sfn "releases/$version" "$target/current"
echo "已安装 / installed: $target/current/bin/xuezheng ($version)"
