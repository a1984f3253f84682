"""QR codes (ISO/IEC 18004) of short texts as SVG: bytes, error correction level L, versions 1 to 20. Pure.

Our own, because the libraries draw pictures with a picture library, and this takes no memory until it is asked.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

# By version from 1 on: how many blocks there are, and how many of each block's code words correct errors.
_BLOCKS: Final = (1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8)
_CORRECTION: Final = (7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28)
_LEVEL_L: Final = 1
_LONG_COUNT_FROM: Final = 10  # the version from which the length has 16 bits
_BYTES: Final = 4  # the mode
_PADDING: Final = (0xEC, 0x11)
_FIELD: Final = 0x11D  # the polynomial of GF(256)
_FORMAT: Final = 0x537
_FORMAT_MASK: Final = 0x5412
_VERSION: Final = 0x1F25
_VERSION_FROM: Final = 7
_LONG_RUN: Final = 5
_QUIET: Final = 4  # modules of white around it

Grid = list[list[bool]]


def svg_path(text: str) -> tuple[int, str]:
    """The side of the picture in modules, and the path of the dark ones in it.

    Raises:
        ValueError: the text is too long.
    """
    grid = modules(text.encode())
    dark = (
        f"M{column + _QUIET} {row + _QUIET}h1v1h-1z"
        for row, line in enumerate(grid)
        for column, module in enumerate(line)
        if module
    )
    return len(grid) + 2 * _QUIET, "".join(dark)


def modules(data: bytes) -> Grid:
    """The symbol, dark modules true, with the mask that is easiest to read."""
    version = next((one for one in range(1, len(_BLOCKS) + 1) if _bits_for(data, one) <= 8 * _capacity(one)), None)
    if version is None:
        raise ValueError("too long for a QR code")
    words = _with_correction(_code_words(data, version), version)
    return min((_drawn(version, words, mask) for mask in range(8)), key=_penalty)


def _bits_for(data: bytes, version: int) -> int:
    return 4 + (16 if version >= _LONG_COUNT_FROM else 8) + 8 * len(data)


def _total_words(version: int) -> int:
    """Code words of a symbol: what its function patterns leave."""
    bits = (16 * version + 128) * version + 64
    if version > 1:
        places = version // 7 + 2
        bits -= (25 * places - 10) * places - 55
        bits -= 36 if version >= _VERSION_FROM else 0
    return bits // 8


def _capacity(version: int) -> int:
    return _total_words(version) - _BLOCKS[version - 1] * _CORRECTION[version - 1]


def _code_words(data: bytes, version: int) -> bytes:
    """Mode, length and data, filled up."""
    room, length = _capacity(version), 16 if version >= _LONG_COUNT_FROM else 8
    bits = f"{_BYTES:04b}{len(data):0{length}b}" + "".join(f"{byte:08b}" for byte in data)
    bits += "0" * min(4, 8 * room - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]
    return bytes([*words, *(_PADDING[place % 2] for place in range(room - len(words)))])


def _with_correction(data: bytes, version: int) -> bytes:
    """Blocks with their correction words, interleaved."""
    count, correction = _BLOCKS[version - 1], _CORRECTION[version - 1]
    short, longer = divmod(len(data), count)
    divisor, blocks, at = _divisor(correction), [], 0
    for number in range(count):
        size = short + (1 if number >= count - longer else 0)
        blocks.append(data[at : at + size])
        at += size
    corrections = [_remainder(block, divisor) for block in blocks]
    interleaved = [block[place] for place in range(short + 1) for block in blocks if place < len(block)]
    return bytes([*interleaved, *(block[place] for place in range(correction) for block in corrections)])


def _times(left: int, right: int) -> int:
    """In GF(256)."""
    found = 0
    for bit in range(7, -1, -1):
        found = (found << 1) ^ ((found >> 7) * _FIELD)
        found ^= ((right >> bit) & 1) * left
    return found


def _divisor(degree: int) -> list[int]:
    """The generator polynomial, the highest coefficient left out."""
    found, root = [*([0] * (degree - 1)), 1], 1
    for _ in range(degree):
        for place in range(degree):
            found[place] = _times(found[place], root)
            if place + 1 < degree:
                found[place] ^= found[place + 1]
        root = _times(root, 2)
    return found


def _remainder(block: bytes, divisor: Sequence[int]) -> list[int]:
    found = [0] * len(divisor)
    for byte in block:
        factor = byte ^ found.pop(0)
        found.append(0)
        found = [have ^ _times(one, factor) for have, one in zip(found, divisor, strict=True)]
    return found


def _drawn(version: int, words: bytes, mask: int) -> Grid:
    size = 4 * version + 17
    grid, fixed = [[False] * size for _ in range(size)], [[False] * size for _ in range(size)]
    for row, column, dark in (*_patterns(version, size), *_information(version, size, mask)):
        grid[row][column], fixed[row][column] = dark, True
    bits = (bool(word >> bit & 1) for word in words for bit in range(7, -1, -1))
    for row, column in _zigzag(size):
        if not fixed[row][column]:
            grid[row][column] = next(bits, False) ^ _masked(mask, row, column)
    return grid


def _patterns(version: int, size: int) -> Iterator[tuple[int, int, bool]]:
    """What readers find it by; what comes later lies over what came before."""
    for place in range(size):
        yield 6, place, place % 2 == 0
        yield place, 6, place % 2 == 0
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        for down, right in product(range(-4, 5), repeat=2):
            if 0 <= row + down < size and 0 <= column + right < size:
                yield row + down, column + right, max(abs(down), abs(right)) not in {2, 4}
    for row, column in _alignments(version, size):
        for down, right in product(range(-2, 3), repeat=2):
            yield row + down, column + right, max(abs(down), abs(right)) != 1


def _alignments(version: int, size: int) -> Iterator[tuple[int, int]]:
    if version == 1:
        return
    count = version // 7 + 2
    step = (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    places = [6, *sorted(size - 7 - number * step for number in range(count - 1))]
    corners = {(6, 6), (6, places[-1]), (places[-1], 6)}
    yield from ((row, column) for row in places for column in places if (row, column) not in corners)


def _information(version: int, size: int, mask: int) -> Iterator[tuple[int, int, bool]]:
    """Level and mask, each twice, the module that is always dark, and from version 7 on the version, twice."""
    data = _LEVEL_L << 3 | mask
    bits = (data << 10 | _check(data, 10, _FORMAT)) ^ _FORMAT_MASK
    beside = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    apart = [(8, size - 1 - place) for place in range(8)] + [(size - 7 + place, 8) for place in range(7)]
    for place, twice in enumerate(zip(beside, apart, strict=True)):
        for row, column in twice:
            yield row, column, bool(bits >> place & 1)
    yield size - 8, 8, True
    if version >= _VERSION_FROM:
        bits = version << 12 | _check(version, 12, _VERSION)
        for place in range(18):
            far, near, dark = size - 11 + place % 3, place // 3, bool(bits >> place & 1)
            yield near, far, dark
            yield far, near, dark


def _check(data: int, bits: int, polynomial: int) -> int:
    """The check bits of a BCH code."""
    rest = data
    for _ in range(bits):
        rest = rest << 1 ^ (rest >> bits - 1) * polynomial
    return rest


def _zigzag(size: int) -> Iterator[tuple[int, int]]:
    """Where data goes: two columns at a time from the right, up and down, past the vertical timing pattern."""
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        upward = (right + 1) & 2 == 0
        for place in range(size):
            row = size - 1 - place if upward else place
            yield row, right
            yield row, right - 1


def _masked(mask: int, row: int, column: int) -> bool:
    both = row * column
    return (
        (row + column) % 2,
        row % 2,
        column % 3,
        (row + column) % 3,
        (column // 3 + row // 2) % 2,
        both % 2 + both % 3,
        (both % 2 + both % 3) % 2,
        ((row + column) % 2 + both % 3) % 2,
    )[mask] == 0


def _penalty(grid: Grid) -> int:
    """How hard it is to read: long runs, squares, what looks like a finder, and an uneven share of dark."""
    size, columns = len(grid), [list(column) for column in zip(*grid, strict=True)]
    lines = ["".join("1" if module else "0" for module in line) for line in (*grid, *columns)]
    found = 0
    for line in lines:
        runs = line.replace("01", "0 1").replace("10", "1 0").split()
        found += sum(len(run) - 2 for run in runs if len(run) >= _LONG_RUN)
        found += 40 * sum(line.startswith(("10111010000", "00001011101"), start) for start in range(size - 10))
    for row in range(size - 1):
        for column in range(size - 1):
            square = {*grid[row][column : column + 2], *grid[row + 1][column : column + 2]}
            found += 3 if len(square) == 1 else 0
    dark = sum(map(sum, grid))
    return found + 10 * (abs(dark * 20 - size * size * 10) // (size * size))
