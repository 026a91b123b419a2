"""Make an installation bundle for a machine without internet: `make bundle`.

dist/xuezheng-<version>-<machine>-py<minor>.tar.gz holds

    install.sh             installs into /opt/xuezheng or another folder, asks no network
    program/               the committed program without its tests, with browser assets and catalogs
    wheels/, pip/          every locked package that the program needs to run, and a pip to install them
    requirements.txt       their part of requirements.lock, with hashes
    SHA256SUMS             of all of it

The wheels are those of the machine and the Python that make the bundle.
"""

import ensurepip
import hashlib
import io
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
VENDOR = Path("xuezheng/kernel/ui/static/vendor")
PROGRAM = [
    "xuezheng",
    "deploy",
    "docs",
    "tools/messages.py",
    "README.md",
    "README.zh-CN.md",
    "LICENSE",
]


def needed(requirements: list[str]) -> set[str]:
    """Canonical names of the packages that these need on this machine, themselves included."""
    found: dict[str, set[str]] = {}
    waiting = [(text, "") for text in requirements]
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras} - found.get(name, set())
        found.setdefault(name, set()).update(extras)
        for deeper in metadata.requires(requirement.name) or []:
            waiting += [(deeper, wanted) for wanted in extras]
    return set(found)


def locked(names: set[str]) -> str:
    """The entries of requirements.lock of these packages.  Raises LookupError for a missing one."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = {
        canonicalize_name(entry.split("==")[0]): entry
        for entry in re.findall(r"^[A-Za-z][^\n]*(?:\n[ \t]+[^\n]+)*", text, re.M)
    }
    if missing := names - set(entries):
        raise LookupError(f"not in requirements.lock: {sorted(missing)}")
    return "\n".join(entries[name] for name in sorted(names)) + "\n"


def fill(folder: Path) -> None:
    """Put everything into the folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    program = folder / "program"
    tree = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD", *PROGRAM],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        archive.extractall(program, filter="data")
    for tests in [path for path in program.rglob("tests") if path.is_dir()]:
        shutil.rmtree(tests)
    if not (ROOT / VENDOR / ".ready").exists():
        raise SystemExit("前端资源未就绪，请先执行 make setup / no browser assets: run make setup")
    shutil.copytree(
        ROOT / VENDOR, program / VENDOR, ignore=shutil.ignore_patterns("axe*", ".ready")
    )
    subprocess.run([sys.executable, "tools/messages.py", "compile"], cwd=program, check=True)
    shutil.rmtree(program / "tools")
    (folder / "requirements.txt").write_text(locked(needed(project["dependencies"])), "utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary=:all:", "--require-hashes"),
            *("--requirement", str(folder / "requirements.txt"), "--dest", str(folder / "wheels")),
        ],
        check=True,
    )
    (folder / "pip").mkdir()
    (wheel,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    shutil.copy(wheel, folder / "pip")
    shutil.move(program / "deploy" / "install.sh", folder / "install.sh")
    facts = {
        "VERSION": project["version"],
        "PYTHON": "{}.{}".format(*sys.version_info[:2]),
        "MACHINE": platform.machine(),
    }
    for name, value in facts.items():
        (folder / name).write_text(f"{value}\n", encoding="ascii")
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def main() -> None:
    """Make the bundle and say where it is."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    minor = "{}.{}".format(*sys.version_info[:2])
    name = f"xuezheng-{version}-{platform.machine()}-py{minor}"
    folder = DIST / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill(folder)
    target = DIST / f"{name}.tar.gz"
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:  # wheels are compressed already
        archive.add(folder, arcname=name)
    shutil.rmtree(folder)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1024**2:.0f} MiB")


if __name__ == "__main__":
    main()
