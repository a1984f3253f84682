"""A set of record numbers in a bit each: of a million it takes 128 KiB, where a set of Python's takes 60 MB."""

from collections.abc import Iterable, Iterator

_BITS = 16  # of a page's places


class IdSet:
    """Numbers that were added."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        page = self._pages.setdefault(number >> _BITS, bytearray(1 << (_BITS - 3)))
        place = number & ((1 << _BITS) - 1)
        page[place >> 3] |= 1 << (place & 7)

    def add_all(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.add(number)

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> _BITS)
        place = number & ((1 << _BITS) - 1)
        return page is not None and bool(page[place >> 3] & (1 << (place & 7)))


def add_to_ranges(ranges: list[list[int]], number: int) -> None:
    """Add a number that is larger than the others, if it can be to the last range."""
    if ranges and ranges[-1][1] == number - 1:
        ranges[-1][1] = number
    else:
        ranges.append([number, number])


def numbers_of(ranges: Iterable[list[int]]) -> Iterator[int]:
    """Every number of ranges with both of their ends."""
    return (number for first, last in ranges for number in range(first, last + 1))
