import socket

import pytest
from vivero_data import cli


def test_serving_is_the_default() -> None:
    arguments = cli.parse([])
    assert (arguments.command, arguments.port) == (None, 8080)
    assert cli.parse(["serve", "--port", "9"]).port == 9
    assert cli.parse(["create-owner", "--email", "a@example.com"]).email == "a@example.com"


@pytest.mark.parametrize("words", [["fly"], ["create-owner"], ["serve", "--port", "many"]])
def test_what_is_not_understood_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(words)
    assert "usage" in capsys.readouterr().err


def test_answers_on_kept_connections_are_not_held_back() -> None:
    listener = cli.listen(cli.parse(["serve", "--host", "127.0.0.1", "--port", "0"]))
    assert listener is not None
    with listener, socket.create_connection(listener.getsockname()) as client:
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            client.close()


@pytest.mark.parametrize("words", [["migrate"], ["create-owner", "--email", "a@example.com"]])
def test_other_commands_do_not_listen(words: list[str]) -> None:
    assert cli.listen(cli.parse(words)) is None
