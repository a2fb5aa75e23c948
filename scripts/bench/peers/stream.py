"""The peers of socket-server and socket-client.

Arguments: "Python server" ADDR --buffer BYTES … | "Python client" --addr ADDR -
"""

import socket
import sys

if sys.argv[1] == "Python server":
    size = int(sys.argv[4])
    with socket.create_server(("127.0.0.1", 0)) as sock:
        print(f"listening on 127.0.0.1:{sock.getsockname()[1]}", file=sys.stderr, flush=True)
        conn, _ = sock.accept()
        with conn:
            while data := conn.recv(size):
                print(data.decode(), flush=True)
else:
    host, port = sys.argv[3].split(":")
    with socket.create_connection((host, int(port))) as sock:
        while data := sys.stdin.buffer.raw.read(65536):
            sock.sendall(data)
