"""What systemd is told: sd_notify(3), for which no library is kept; systemd.service(5), systemd.exec(5)."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_TAKES = 1.0  # seconds: a manager that hangs does not hang us


def notify(*assignments: str) -> None:
    """Such as "READY=1", where systemd has started us. If it does not listen, its own time-outs tell it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, suppress(OSError):
        sock.settimeout(_TAKES)
        sock.sendto("\n".join(assignments).encode(), address.replace("@", "\0", 1))


def watchdog_seconds() -> float | None:
    """By when systemd wants to hear WATCHDOG=1 again; None where it does not watch this process."""
    microseconds, watched = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or watched not in ("", str(os.getpid())):
        return None
    return int(microseconds) / 1e6


def unit(
    executable: Path, config: Path, writable: Sequence[Path], user: str, read: Sequence[Path] = ()
) -> str:
    """A service that runs `executable` and writes to the folders of `writable` alone; paths are absolute.

    `read` is what it needs beside these, such as the folder of its Python.
    """
    paths = (executable, config, *writable, *read)
    return _UNIT.format(
        executable=_quoted(executable),
        config=_quoted(config).replace("$", "$$"),
        environment=str(config.with_name("windrow.env")).replace("%", "%%"),
        writable=" ".join(map(_quoted, writable)),
        user=user,
        homes="read-only" if _any_in(paths, "/home", "/root", "/run/user") else "yes",
        private_tmp="no" if _any_in(paths, "/tmp", "/var/tmp") else "yes",  # noqa: S108  asked about, not used
    )


def _any_in(paths: tuple[Path, ...], *folders: str) -> bool:
    return any(path.is_relative_to(folder) for path in paths for folder in folders)


def _quoted(path: Path) -> str:
    """Spaces and quotes as systemd.syntax(7) wants them, percent signs as systemd.unit(5) does."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


# ProtectProc= and ProcSubset= would hide whether another process that harvests a source is still alive.
_UNIT = """\
[Unit]
Description=Windrow, the harvester
Wants=network-online.target
After=network-online.target
RequiresMountsFor={writable}

[Service]
Type=notify
NotifyAccess=main
User={user}
ExecStart={executable} --config {config} serve
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=-{environment}
KillMode=mixed
TimeoutStartSec=600
TimeoutStopSec=20
WatchdogSec=120
Restart=on-failure
RestartSec=30
RestartPreventExitStatus=2 3
SuccessExitStatus=143

UMask=0027
ReadWritePaths={writable}
ProtectSystem=strict
ProtectHome={homes}
PrivateTmp={private_tmp}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
