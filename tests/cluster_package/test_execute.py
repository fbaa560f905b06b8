"""exec over a WebSocket: headers, streams, exit codes, refusals."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from kcompanion.cluster.connect import Connection, Target, connect
from kcompanion.cluster.execute import NotRun, execute
from kcompanion.model.ask import Outcome
from tests.servers import Api, refusal, write_kubeconfig

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 1.3
EXEC = "/api/v1/namespaces/kube-system/pods/etcd-a/exec"


def frame(data: bytes, opcode: int = 2) -> bytes:
    head = bytes([0x80 | opcode])
    return head + (bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")) + data


def status(body: Mapping[str, object]) -> bytes:
    return frame(b"\x03" + json.dumps(body).encode())


class Exec:
    """A server that takes one WebSocket and sends prepared frames."""

    def __init__(self, frames: list[bytes]) -> None:
        self._frames = frames
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.head = ""
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return
        with client:
            while b"\r\n\r\n" not in self.head.encode():
                data = client.recv(4096)
                if not data:  # a client that was slow to be taken has gone: to go on reading would never end
                    return
                self.head += data.decode()
            key = next(line.split(": ")[1] for line in self.head.splitlines() if line.startswith("Sec-WebSocket-Key"))
            proof = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()  # noqa: S324 - RFC 6455 says so
            answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            answer += f"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\nSec-WebSocket-Accept: {proof}\r\n\r\n"
            client.sendall(answer.encode() + b"".join(self._frames))
            client.settimeout(5)
            try:
                while client.recv(4096):
                    pass
            except OSError:
                return

    def stop(self) -> None:
        self._socket.close()


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Callable[[str], Connection]]:
    made = []

    def make(url: str) -> Connection:
        path = write_kubeconfig(tmp_path / "config", url, {"token": "t"})
        connection = connect(Target(kubeconfig=str(path), as_user="ann", as_groups=("a", "b")))
        made.append(connection.client)
        return connection

    yield make
    for client in made:
        client.rest_client.close()


Connected = Callable[[str], Connection]


def run(connection: Connection) -> object:
    return execute(connection, "kube-system", "etcd-a", "etcd", ["etcdctl", "get", "/a b"], timeout=2)


def test_streams_and_success(connected: Connected) -> None:
    server = Exec([frame(b"\x01he"), frame(b"\x02oh"), frame(b"\x01llo"), status({"status": "Success"})])
    done = execute(connected(server.url), "kube-system", "etcd-a", "etcd", ["etcdctl", "get", "/a b"], timeout=5)
    assert (done.out, done.err, done.code) == (b"hello", "oh", 0)
    first = server.head.splitlines()[0]
    assert first.startswith(
        f"GET {EXEC}?container=etcd&stdout=true&stderr=true&command=etcdctl&command=get&command=%2Fa+b"
    )
    server.stop()


def test_it_runs_as_whom_the_command_line_names(connected: Connected) -> None:
    server = Exec([status({"status": "Success"})])
    run(connected(server.url))
    lines = server.head.lower().splitlines()
    assert "impersonate-user: ann" in lines
    assert [line for line in lines if line.startswith("impersonate-group")] == [
        "impersonate-group: a", "impersonate-group: b",
    ]  # fmt: skip
    assert "authorization: bearer t" in lines
    assert "sec-websocket-protocol: v5.channel.k8s.io,v4.channel.k8s.io" in lines
    server.stop()


def test_an_exit_code(connected: Connected) -> None:
    ended = {"status": "Failure", "message": "m", "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}
    server = Exec([frame(b"\x02no"), status(ended)])
    done = execute(connected(server.url), "kube-system", "etcd-a", "etcd", ["x"], timeout=5)
    assert (done.code, done.err) == (3, "no")
    server.stop()


def test_a_program_that_is_not_there(connected: Connected) -> None:
    server = Exec([status({"status": "Failure", "message": "no such file"})])
    done = execute(connected(server.url), "kube-system", "etcd-a", "etcd", ["x"], timeout=5)
    assert (done.code, done.detail) == (None, "no such file")
    server.stop()


@pytest.mark.parametrize(("frames", "outcome"), [([], Outcome.TIMEOUT), ([frame(b"", 8)], Outcome.UNREACHABLE)])
def test_no_end(connected: Connected, frames: list[bytes], outcome: Outcome) -> None:
    server = Exec(frames)
    with pytest.raises(NotRun) as told:
        run(connected(server.url))
    assert told.value.outcome is outcome
    server.stop()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(403, Outcome.FORBIDDEN), (404, Outcome.ABSENT), (401, Outcome.UNAUTHENTICATED), (500, Outcome.ERROR)],
)
def test_a_refusal_is_the_api_servers_own_word(api: Api, connected: Connected, code: int, outcome: Outcome) -> None:
    api.answers[EXEC] = refusal(code, "may not be")
    with pytest.raises(NotRun) as told:
        run(connected(api.url))
    assert (told.value.outcome, told.value.status, told.value.detail) == (outcome, code, "may not be")


def test_nobody_there(connected: Connected) -> None:
    with pytest.raises(NotRun) as told:
        run(connected("http://127.0.0.1:9"))
    assert told.value.outcome is Outcome.UNREACHABLE
