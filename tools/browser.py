"""Print the path of a Chromium for the tests and the pictures, fetching one if there is none.

In this order: `$CHROMIUM`; one fetched before; one on the PATH; as root from apt; otherwise apt
downloads the packages into `.browser/` and they are unpacked there, which needs no rights.
Progress goes to stderr.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / ".browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: The font is for Chinese text, which a bare machine could not draw.
PACKAGES = ("chromium", "fonts-wqy-microhei")
ASK = (
    "找不到 Chromium：请系统管理员安装 chromium 软件包，或用 CHROMIUM=路径 指定 / "
    "no Chromium: ask for the package chromium, or say where one is with CHROMIUM=path"
)


class NoBrowserError(Exception):
    """There is no browser and none can be fetched; the message says what to do."""


def find() -> Path | None:
    """A browser that is already here."""
    if named := os.environ.get("CHROMIUM"):
        path = Path(named)
        if not path.exists():
            raise NoBrowserError(f"CHROMIUM={named}: 没有这个文件 / there is no such file")
        return path
    fetched = FOLDER / "chromium"
    on_path = next((found for name in NAMES if (found := shutil.which(name))), None)
    return fetched if fetched.exists() else Path(on_path) if on_path else None


def fetch() -> Path:
    """Fetch a browser.  Raises NoBrowserError where apt is missing or fails."""
    if not shutil.which("apt-get"):
        raise NoBrowserError(ASK)
    print("· 浏览器 / browser (chromium) …", end=" ", file=sys.stderr, flush=True)
    began = time.monotonic()
    path = _install() if os.geteuid() == 0 else _unpack()
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return path


def _install() -> Path:
    _run("apt-get", "update")
    _run("apt-get", "install", "-y", "--no-install-recommends", *PACKAGES)
    return _proved(Path("/usr/bin/chromium"))


def _unpack() -> Path:
    """Download what is not installed, with apt's own knowledge of it, and unpack it here."""
    state, cache, root = FOLDER / "state", FOLDER / "cache", FOLDER / "root"
    for folder in (state / "lists" / "partial", cache / "archives" / "partial", root):
        folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": cache,
        "Dir::Cache::archives": cache / "archives",
        "Debug::NoLocking": "true",
        "APT::Sandbox::User": "",
    }
    apt = ["apt-get", *(f"-o{name}={value}" for name, value in settings.items())]
    _run(*apt, "update")
    _run(*apt, "install", "-y", "--no-install-recommends", "--download-only", *PACKAGES)
    for package in sorted((cache / "archives").glob("*.deb")):
        _run("dpkg", "-x", str(package), str(root))
    shutil.rmtree(cache)
    shutil.rmtree(state)
    return _write_command(root)


def _write_command(root: Path) -> Path:
    """A command that starts the unpacked browser with the libraries and fonts beside it."""
    libraries = sorted({str(path.parent) for path in root.rglob("*.so*")})
    fonts = FOLDER / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n'
        f"<fontconfig><dir>{root}/usr/share/fonts</dir><dir>/usr/share/fonts</dir>"
        f"<cachedir>{FOLDER}/fonts</cachedir></fontconfig>\n",
        encoding="utf-8",
    )
    command = FOLDER / "chromium.new"
    command.write_text(
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH='{':'.join(libraries)}' FONTCONFIG_FILE='{fonts}'\n"
        f"exec '{root}/usr/lib/chromium/chromium' \"$@\"\n",
        encoding="utf-8",
    )
    command.chmod(0o755)
    return _proved(command).rename(FOLDER / "chromium")


def _proved(browser: Path) -> Path:
    """The browser, once it has shown that it starts."""
    _run(str(browser), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "about:blank")
    return browser


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        check=False,
    )
    if done.returncode:
        raise NoBrowserError(f"{ASK}\n{' '.join(command)}:\n{done.stdout[-3000:]}")


def main() -> int:
    """Print the path; 1 and a sentence on stderr if there is none."""
    try:
        print(find() or fetch())
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
