import pytest
from vivero_data.domain.sessions.devices import UNKNOWN, device_of

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE_GECKO} Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge on Windows",
        ),
        (f"Mozilla/5.0 (Linux; Android 16) {LIKE_GECKO} Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 1) {LIKE_GECKO} Chrome/142.0 Safari/537.36", "Chrome on Chromebook"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/26.0 Safari/605.1",
            "Safari on Mac",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) CriOS/142.0 Mobile Safari/604.1", "Chrome on iPhone"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("Firefox/1", "Firefox"),
        ("", UNKNOWN),
        ("<script>", UNKNOWN),
        ("x" * 200, "x" * 40),
    ],
)
def test_a_device_in_words(agent: str, words: str) -> None:
    assert device_of(agent) == words
