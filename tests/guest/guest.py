"""A Linux with real device drivers, for machines that have none: `run("tests.guest.inside", 300)`.

qemu boots Debian's own kernel package, which is fetched once and never installed. The guest sees
this machine's files through virtio-9p, read-only, with a layer of memory on top; so it runs this
very environment. Nothing it does reaches this machine but what it writes into its output folder.

The kernel is kept in `$XDG_CACHE_HOME/emolab-tests` (`~/.cache/emolab-tests`), 30 MB. By hand, with
the guest's own messages: `python -m tests.guest.guest tests.guest.inside [PART]`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

META_PACKAGE = "linux-image-amd64"  # depends on the newest kernel
TOOLS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "modprobe": "kmod",
    "depmod": "kmod",
}
DEBIAN_TOOLS = ("apt-cache", "apt-get", "dpkg-deb")
BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
DEVICE_MODULES = ("vivid", "dummy_hcd", "g_serial", "usb_f_acm", "u_serial", "cdc_acm", "snd_aloop")
FETCH_TIMEOUT_S = 300
MEMORY_MB = 1536
OUT = "/mnt"  # where the guest finds its output folder
ROOT = Path(__file__).parents[2]

INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /host /layer /new /out
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for module in {modules}; do modprobe $module; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,ro,cache=loose host /host
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288 out /out
mount -t tmpfs layer /layer; mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /new
for place in proc sys dev tmp run mnt lib/modules; do mkdir -p /new/$place; done
mount -t proc proc /new/proc; mount -t sysfs sysfs /new/sys; mount -t devtmpfs dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm; mount -t devpts devpts /new/dev/pts; mount -t tmpfs shm /new/dev/shm
mount -t tmpfs tmp /new/tmp; mount -t tmpfs run /new/run
mount --bind /out /new{out}; mount --bind /lib/modules /new/lib/modules
ip link set lo up
chroot /new /bin/sh -c {command} > /out/output 2>&1
echo $? > /out/status
sync
poweroff -f
"""


class NoGuest(Exception):
    """Why no guest can run here: the reason to skip, with the remedy."""


@dataclass(frozen=True)
class Kernel:
    """What a boot needs. `modules`: a tree with `lib/modules/<release>`."""

    image: Path
    modules: Path
    release: str


@dataclass(frozen=True)
class Ended:
    """What became of a run. `status`: the module's, None if it did not end. `console`: the kernel's words."""

    status: int | None
    output: str
    console: str


def run(module: str, out: Path, timeout_s: float, *arguments: str) -> Ended:
    """Boot, run `python -m module /mnt arguments` where `/mnt` is the folder `out` out here, power off.

    Raises `NoGuest` when the tools or the kernel cannot be had.
    """
    kernel = find_kernel()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="emolab-guest-") as folder:
        memory_disk = Path(folder) / "initramfs"
        _make_initramfs(kernel, memory_disk, [module, OUT, *arguments])
        console = Path(folder) / "console"
        command = [_tool("qemu-system-x86_64"), "-accel", "tcg,thread=multi", "-cpu", "max"]
        command += ["-smp", "2", "-m", str(MEMORY_MB), "-nodefaults", "-display", "none", "-no-reboot"]
        command += ["-serial", f"file:{console}", "-kernel", str(kernel.image), "-initrd", str(memory_disk)]
        command += ["-append", "console=ttyS0 loglevel=4 panic=-1 mitigations=off"]
        command += ["-virtfs", _share("host", "/", "readonly=on,multidevs=remap")]
        command += ["-virtfs", _share("out", str(out), "readonly=off")]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as qemu:
            try:
                _, complaint = qemu.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                qemu.kill()
                complaint = f"\nno end after {timeout_s:.0f} s\n"
            except BaseException:  # an interrupted test leaves no machine behind
                qemu.kill()
                raise
        said = console.read_text(errors="replace") if console.exists() else ""
    status, output = out / "status", out / "output"
    return Ended(
        int(status.read_text()) if status.exists() and status.read_text().strip() else None,
        output.read_text(errors="replace") if output.exists() else "",
        said + complaint,
    )


def find_kernel() -> Kernel:
    """The kernel kept from before, or the one fetched now. Raises `NoGuest`."""
    missing = sorted({package for tool, package in TOOLS.items() if _found(tool) is None})
    if missing:
        raise NoGuest(f"tools are missing; apt-get install {' '.join(missing)}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emolab-tests"
    kept = sorted(cache.glob("kernel-*/lib/modules/*"))
    if not kept:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=cache) as folder:
            made = _fetch(Path(folder))
            release = made.release
            made.modules.rename(cache / f"kernel-{release}")
        kept = [cache / f"kernel-{release}" / "lib" / "modules" / release]
    tree, release = kept[-1].parents[2], kept[-1].name
    return Kernel(tree / "vmlinuz", tree, release)


def _fetch(folder: Path) -> Kernel:
    """Debian's newest kernel, with those modules only that the guest needs."""
    if any(_found(tool) is None for tool in DEBIAN_TOOLS):
        raise NoGuest("the guest's kernel is Debian's, and there is no apt here to fetch it with")
    depends = _say(["apt-cache", "depends", META_PACKAGE], folder)
    names = [
        line.split()[-1] for line in depends.splitlines() if line.strip().startswith("Depends: linux-image")
    ]
    if not names:
        raise NoGuest(f"apt knows no {META_PACKAGE}; run apt-get update")
    _say(["apt-get", "-o", "APT::Sandbox::User=root", "download", names[0]], folder)
    [package] = folder.glob("*.deb")
    whole, kept = folder / "whole", folder / "kept"
    _say(["dpkg-deb", "-x", str(package), str(whole)], folder)
    [modules] = whole.glob("lib/modules/*")
    release = modules.name
    _say([_tool("depmod"), "-b", str(whole), release], folder)
    asked = [_tool("modprobe"), "-d", str(whole), "-S", release, "--show-depends", "-a"]
    needed = _say([*asked, *BOOT_MODULES, *DEVICE_MODULES], folder)
    for line in sorted(set(needed.splitlines())):
        what, _, path = line.strip().partition(" ")
        if what == "insmod":  # else builtin
            source = Path(path.split()[0])
            target = kept / source.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copyfile(modules / name, kept / "lib" / "modules" / release / name)
    _say([_tool("depmod"), "-b", str(kept), release], folder)
    shutil.copyfile(whole / "boot" / f"vmlinuz-{release}", kept / "vmlinuz")
    return Kernel(kept / "vmlinuz", kept, release)


def _make_initramfs(kernel: Kernel, path: Path, module: list[str]) -> None:
    """The first files the kernel sees: busybox, modules, and what to do."""
    with tempfile.TemporaryDirectory(prefix="emolab-initramfs-") as folder:
        root = Path(folder)
        for place in ("bin", "sbin"):
            (root / place).mkdir()
        shutil.copyfile(_tool("busybox"), root / "bin" / "busybox")
        (root / "bin" / "busybox").chmod(0o755)
        (root / "sbin" / "modprobe").symlink_to("/bin/busybox")  # where the kernel itself looks for it
        shutil.copytree(kernel.modules / "lib", root / "lib")
        init = root / "init"
        init.write_text(INIT.format(modules=" ".join(BOOT_MODULES), out=OUT, command=_command(module)))
        init.chmod(0o755)
        with path.open("wb") as archive:
            names = "\n".join(str(entry.relative_to(root)) for entry in sorted(root.rglob("*")))
            subprocess.run(
                [_tool("cpio"), "--quiet", "-o", "-H", "newc", "-R", "0:0"],
                cwd=root, input=names.encode(), stdout=archive, check=True, timeout=60,
            )  # fmt: skip


def _command(module: list[str]) -> str:
    """The module and its arguments in this environment and in no other surroundings, quoted for a shell."""
    words = ["env", "-i", f"PATH={Path(sys.executable).parent}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    words += [
        "HOME=/tmp",
        "XDG_RUNTIME_DIR=/run",
        "LANG=C.UTF-8",
        "PYTHONDONTWRITEBYTECODE=1",
        "OPENBLAS_NUM_THREADS=1",  # as `emolab` sets it for itself
    ]
    words += [sys.executable, "-X", "faulthandler", "-m", *module]
    return shlex.quote(f"cd {shlex.quote(str(ROOT))} && exec {shlex.join(words)}")


def _share(tag: str, path: str, options: str) -> str:
    return f"local,path={path.replace(',', ',,')},mount_tag={tag},security_model=none,{options}"


def _found(tool: str) -> str | None:
    """Where the tool is; those of the administrator are not in everybody's path."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")


def _tool(tool: str) -> str:
    found = _found(tool)
    assert found is not None, tool
    return found


def _say(command: list[str], folder: Path) -> str:
    """What the command says. Raises `NoGuest` with its complaint when it fails."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise NoGuest(f"'{shlex.join(command[:3])} …' took longer than {error.timeout:.0f} s") from error
    if done.returncode:
        raise NoGuest(f"'{shlex.join(command[:3])} …' failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="emolab-guest-out-") as folder:
        ended = run(sys.argv[1], Path(folder), 600, *sys.argv[2:])
    print(ended.console, ended.output, sep="\n")
    return 1 if ended.status is None else ended.status


if __name__ == "__main__":
    sys.exit(main())
