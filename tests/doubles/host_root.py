"""A gateway's own files, as a container has them below `HOST_ROOT`: made up, and unlike any machine's at hand."""

from pathlib import Path

ADDRESS = "192.168.77.20"
BOOTED_AT_S = 1_700_000_000

_FILES = {
    "proc/stat": f"""\
cpu  600 0 300 2100 0 0 0 0 0 0
cpu0 600 0 300 2100 0 0 0 0 0 0
btime {BOOTED_AT_S}
""",
    "proc/meminfo": """\
MemTotal:        1000000 kB
MemFree:          100000 kB
MemAvailable:     250000 kB
Buffers:           10000 kB
Cached:           140000 kB
Active:           200000 kB
Inactive:         200000 kB
Shmem:             10000 kB
SwapTotal:             0 kB
SwapFree:              0 kB
""",
    "proc/1/net/dev": """\
Inter-|   Receive                                      |  Transmit
 face |bytes packets errs drop fifo frame compr. multicast|bytes packets errs drop fifo colls carrier compr.
    lo:  500       5    0    0    0     0          0    0   500       5    0    0    0     0       0      0
enp3s0: 7000001   71   12   13    0     0          0    0 8000001    81   22   23    0     0       0      0
""",
    "proc/1/net/route": """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
enp3s0\t00000000\t014DA8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
enp3s0\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
""",
    "proc/1/net/fib_trie": """\
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     +-- 172.17.0.0/16 2 0 2
        |-- 172.17.0.1
           /32 host LOCAL
     +-- 192.168.77.0/24 2 0 2
        |-- 192.168.77.0
           /24 link UNICAST
        |-- 192.168.77.20
           /32 host LOCAL
        |-- 192.168.77.255
           /32 link BROADCAST
""",
    "proc/1/net/tcp": """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 144DA8C0:D675 0A4DA8C0:01F6 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
""",
}


def made_up_host(folder: Path) -> Path:
    """Write them; returns the root."""
    for name, text in _FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="ascii")
    # As in a container: this one is always the reader's own.
    (folder / "proc/net").symlink_to("/proc/net")
    return folder
