"""What a change of price costs at once, to the second of the period; pure."""

from typing import Final

from vivero_dev.payments.objects import Object, after

_HALF: Final = 2


def share(amount: int, part: int, whole: int) -> int:
    """That part of an amount, rounded to the next cent, a half upwards."""
    return (_HALF * amount * part + whole) // (_HALF * whole)


def change_lines(of: Object, price: Object, at: int) -> list[Object]:
    """The lines of the invoice for another price from `at` on: what is unused is credited, the new price charged.

    Another interval begins a period of its own, so it is charged whole.
    """
    item = of["items"]["data"][0]
    start, end = item["current_period_start"], item["current_period_end"]
    interval, old = price["recurring"]["interval"], item["price"]
    unused = share(old["unit_amount"], end - at, end - start)
    same = interval == old["recurring"]["interval"]
    until = end if same else after(at, interval)
    charged = share(price["unit_amount"], end - at, end - start) if same else price["unit_amount"]
    return [
        _line("Unused time of the plan before", -unused, at, end),
        _line(f"{price['name']} from now on", charged, at, until),
    ]


def restart_line(of: Object, now: int) -> Object:
    """The line of the invoice of a whole period that begins now; nothing of another one is credited."""
    price = of["items"]["data"][0]["price"]
    return _line(of["title"], price["unit_amount"], now, after(now, price["recurring"]["interval"]))


def first_lines(of: Object, code: str, percent: int) -> list[Object]:
    """The lines of a subscription's first invoice, with what a promotion code takes away."""
    item = of["items"]["data"][0]
    amount, period = item["price"]["unit_amount"], (item["current_period_start"], item["current_period_end"])
    lines = [_line(of["title"], amount, *period)]
    return [_line(f"{code}: {percent} % off", -share(amount, percent, 100), *period), *lines] if percent else lines


def _line(words: str, amount: int, start: int, end: int) -> Object:
    return {"description": words, "amount": amount, "period": {"start": start, "end": end}}
