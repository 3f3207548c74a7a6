"""What the system can take from a process before a student's code runs in it.

On Linux that is the network, the sight of other processes, and every file's being written, where the kernel lets an
ordinary user make namespaces; memory and the number of processes on any POSIX system. What cannot be taken is said by
`confined`, and stays.
"""

import contextlib
import ctypes
import os
import signal
import sys
import tempfile
from pathlib import Path

import psutil

if sys.platform != "win32":
    import resource

NEW_USER, NEW_PID, NEW_NET, NEW_MOUNT, NEW_IPC = 0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x08000000
DIE_WITH_PARENT = 1  # of prctl
MOUNT_SETATTR, HERE, RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1  # the call has one number on every processor
PRIVATE, REC = 1 << 18, 1 << 14  # of mount
CAPABILITIES = 0x20080522  # version 3 of capset's header
SCRATCH = b"size=64m"
PROCESSES = 64
"""That one user may have. The superuser's are not counted, but end with the process all the same."""


def separate() -> tuple[bool, bool]:
    """Leave the network and the view of other processes, and make files read-only but for a scratch folder.

    Returns:
        Whether the network is gone, and whether files are safe.
    """
    os.setsid()
    if not sys.platform.startswith("linux"):
        return False, False
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_USER | NEW_PID | NEW_NET | NEW_MOUNT | NEW_IPC):
        return False, False
    try:
        for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {user} 1"), ("gid_map", f"1000 {group} 1")):
            Path("/proc/self", name).write_text(text, encoding="ascii")
        safe = _files_read_only(libc)
    except OSError:
        safe = False
    header, none = (ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    libc.capset(header, none)  # what made this could also unmake it
    return True, safe


def _files_read_only(libc: ctypes.CDLL) -> bool:
    folder = os.fsencode(tempfile.gettempdir())
    if libc.mount(b"none", b"/", None, REC | PRIVATE, None):
        return False
    attributes = (ctypes.c_uint64 * 4)(READ_ONLY, 0, 0, 0)
    call = (ctypes.c_long(MOUNT_SETATTR), ctypes.c_int(HERE), b"/", ctypes.c_uint(RECURSIVE))
    if libc.syscall(*call, ctypes.byref(attributes), ctypes.c_size_t(32)):
        return False
    return not libc.mount(b"tmpfs", folder, b"tmpfs", 0, SCRATCH)


def become_first() -> None:
    """Go on as the first process of what `separate` made: when it ends, the system ends all that it started.

    The process that called this only waits, and ends like it.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)


def limit(memory: int) -> None:
    """Hold this process, and each that it starts, to so many bytes beyond what it has now; no core files."""
    if sys.platform == "win32":
        return
    wanted = {resource.RLIMIT_AS: psutil.Process().memory_info().vms + memory, resource.RLIMIT_CORE: 0}
    with contextlib.suppress(AttributeError):
        wanted[resource.RLIMIT_NPROC] = PROCESSES
    for what, most in wanted.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
