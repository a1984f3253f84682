"""Parts of objects from a server of ours in place of the bucket."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from vivero_data.clients.storage import Storage, StorageError
from vivero_data.settings import StorageSecret

OBJECT = bytes(range(100))


class Bucket(BaseHTTPRequestHandler):
    """Knows one object, and ranges of it unless its key says otherwise."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers.get("range")
        if asked is None or "ignored" in self.path:
            self._answer(200, OBJECT)
        else:
            first, last = map(int, asked.removeprefix("bytes=").split("-"))
            self._answer(206, OBJECT[first : last + 1])

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def storage() -> Iterator[Storage]:
    with HTTPServer(("127.0.0.1", 0), Bucket) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        secret = StorageSecret("x", "x", f"http://127.0.0.1:{server.server_port}", "bucket", "x")
        made = Storage(secret, ssl.create_default_context())
        yield made
        made.close()
        server.shutdown()
        thread.join()


def test_a_part_is_what_was_asked_for(storage: Storage) -> None:
    assert storage.read("key", range(10)) == OBJECT[:10]
    assert storage.read("key", range(99, 100)) == OBJECT[99:]


def test_a_server_that_sends_the_whole_is_not_taken_for_one_that_sends_a_part(storage: Storage) -> None:
    with pytest.raises(StorageError):
        storage.read("ignored", range(10, 20))
    response = storage.get("ignored")
    assert response.read() == OBJECT
    response.release_conn()
