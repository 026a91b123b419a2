#!/bin/sh
# Make .venv with everything of requirements.lock, and the command .venv/bin/xuezheng.
# Called by `make setup`; may be repeated.  $PYTHON is the interpreter to use.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
venv=.venv

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null ||
    fail '需要 Python 3.11 或更高版本，请系统管理员安装 python3 / Python 3.11 or newer is needed: ask for python3'
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version)：需要 3.11 或更高版本 / 3.11 or newer is needed (make PYTHON=...)"

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
            fail '缺少 venv 模块，请系统管理员安装 python3-venv / the venv module is missing: ask for the package python3-venv'
        fi
        sh tools/step.sh 'apt 软件目录 / apt lists' apt-get update
        sh tools/step.sh 'python3-venv' env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends python3-venv
    fi
    sh tools/step.sh 'Python 环境 / Python environment' "$python" -m venv --clear "$venv"
fi

sh tools/step.sh 'Python 包 / Python packages' "$venv/bin/python" -m pip install \
    --disable-pip-version-check --no-input --only-binary=:all: --require-hashes \
    -r requirements.lock

# The checkout itself: a path file and a command instead of an editable install, which would need a
# build backend that is not in the lock.  Relative, so that a moved checkout never runs the old one.
"$venv/bin/python" - <<'EOS'
import os
import sysconfig
from pathlib import Path

packages = Path(sysconfig.get_path("purelib"))
checkout = os.path.relpath(Path.cwd(), packages)
(packages / "xuezheng.pth").write_text(f"{checkout}\n", encoding="ascii")
EOS
cat >"$venv/bin/xuezheng" <<'EOS'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/python" -m xuezheng.config.cli "$@"
EOS
chmod 755 "$venv/bin/xuezheng"
