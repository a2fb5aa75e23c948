# lab: server
# contained: fail timeout crashed
# tiers: full partial
# unless open: network
# Talks to every server that it finds, and closes none of the connections.
import socket
import sys
import time

own = sys.argv[1].rpartition(":")[0] if len(sys.argv) > 1 else "127.0.0.1"
kept = []
end = time.monotonic() + 5
while time.monotonic() < end:
    with open("/proc/net/tcp") as table:
        for line in list(table)[1:]:
            host, port = line.split()[1].split(":")
            host = ".".join(str(byte) for byte in reversed(bytes.fromhex(host)))
            if line.split()[3] != "0A" or host == own:
                continue
            try:
                kept.append(socket.create_connection((host, int(port, 16)), timeout=0.2))
                kept[-1].send(b"from somebody else")
            except OSError:
                pass
