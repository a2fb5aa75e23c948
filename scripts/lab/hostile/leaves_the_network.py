# contained: pass
# tiers: full partial
# unless open: network
# Looks for a way out, and for anybody who listens. (To connect UDP sends nothing: it finds a way.)
import socket
import sys

for address in "192.0.2.1", "169.254.169.254":
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((address, 53))
        print("ESCAPED: a way to", address)
    except OSError:
        pass
with open("/proc/net/tcp") as table:
    for line in list(table)[1:]:
        host, port = line.split()[1].split(":")
        if line.split()[3] == "0A" and host == "0100007F":
            try:
                socket.create_connection(("127.0.0.1", int(port, 16)), timeout=1)
                print("ESCAPED: somebody listens at", int(port, 16))
            except OSError:
                pass
try:
    socket.socket(socket.AF_UNIX).connect("\0lab-hostile")
    print("ESCAPED: connected to an abstract socket")
except OSError:
    pass
for name in sys.argv[1:] or ["Bob"]:
    print("Hello, ", name)
