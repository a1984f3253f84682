"""What goes wrong, as pure values: calls of the operator, the faults that meet them, and plans drawn from a seed.

Which classes there are is known from what broke other operators (Sieve, OSDI 2022): a crash between two writes, a view
that lags, states that pass by unseen, names that come back, errors taken for absence.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Any
from urllib.parse import unquote

APPLY_TYPE = "application/apply-patch+yaml"
SERVICES = ("mariadb", "s3", "valkey")
_SUBRESOURCES_OF_NAMESPACE = ("status", "finalize")


class Verb(StrEnum):
    """What a call asks for; EVENT is one line of a watch, on its way to the operator."""

    GET = "get"
    LIST = "list"
    WATCH = "watch"
    EVENT = "event"
    CREATE = "create"
    APPLY = "apply"
    PATCH = "patch"
    REPLACE = "replace"
    DELETE = "delete"


ONE = frozenset({Verb.GET})
MANY = frozenset({Verb.LIST})
READS = ONE | MANY
WRITES = frozenset({Verb.CREATE, Verb.APPLY, Verb.PATCH, Verb.REPLACE, Verb.DELETE})
EVENTS = frozenset({Verb.EVENT})
_VERBS = {"POST": Verb.CREATE, "PUT": Verb.REPLACE, "DELETE": Verb.DELETE}


@dataclass(frozen=True)
class Call:
    """One request to the API server, or one event from it."""

    verb: Verb
    resource: str
    """Plural, with its subresource: `tenants/status`; empty for what is no resource, such as discovery."""
    namespace: str = ""
    name: str = ""

    def mentions(self, words: Iterable[str]) -> bool:
        text = f"{self.namespace} {self.name}"
        return any(word in text for word in words)

    @property
    def counts(self) -> bool:
        """Discovery and the leader's Lease are no one's business."""
        return bool(self.resource) and self.resource != "leases"

    def __str__(self) -> str:
        """For people."""
        return f"{self.verb} {self.resource} {'/'.join(filter(None, (self.namespace, self.name)))}".strip()


def _verb(method: str, query: Mapping[str, str], media_type: str, *, named: bool) -> Verb:
    if method == "GET":
        return Verb.WATCH if query.get("watch") == "true" else Verb.GET if named else Verb.LIST
    if method == "PATCH":
        return Verb.APPLY if media_type == APPLY_TYPE else Verb.PATCH
    return _VERBS[method]


def parse_call(
    method: str, path: str, query: Mapping[str, str], media_type: str = "", body: Mapping[str, Any] | None = None
) -> Call:
    """A request as the API server understands it; the name of what is created stands in the body."""
    words = [unquote(word) for word in path.strip("/").split("/")]
    rest = words[{"api": 2, "apis": 3}.get(words[0], len(words)) :]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in _SUBRESOURCES_OF_NAMESPACE:
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = [*rest, "", "", ""][:3]
    if method == "POST" and body is not None:
        meta = body.get("metadata", {})
        name = meta.get("name") or meta.get("generateName", "")
    verb = _verb(method, query, media_type, named=bool(name))
    return Call(verb, f"{resource}/{subresource}" if subresource else resource, namespace, name)


class Action(StrEnum):
    """What happens instead of what was asked."""

    KILL_BEFORE = "kill before"
    """The operator dies; the server never hears of the call."""
    KILL_AFTER = "kill after"
    """The server does it; the operator dies before it hears so."""
    REFUSE = "refuse"
    """An error of the server, with `status`; nothing is done."""
    LOSE = "lose"
    """The server does it, and the answer gets lost with its connection."""
    MISROUTE = "misroute"
    """A page with `status` that no API server wrote, as from a load balancer."""
    DELAY = "delay"
    """The call takes `seconds` longer."""
    STALE = "stale"
    """A list as it was when the plan began; one object as the operator last read it, if it ever did."""
    MUTE = "mute"
    """The watch says nothing for `seconds`, then all it withheld."""
    CUT = "cut"
    """The watch says nothing for `seconds`; then its connection breaks before the event."""
    EXPIRE = "expire"
    """The watch says nothing for `seconds`; then it ends with 410, so that the operator has to list again."""
    OUTAGE = "outage"
    """From this call on, a backing service fails for `seconds`."""


class Outage(StrEnum):
    """How a backing service fails."""

    DOWN = "down"
    """Connections are refused."""
    SILENT = "silent"
    """Connections stay open and nothing comes."""
    RESET = "reset"
    """Connections are reset in the middle."""
    SLOW = "slow"
    """Every answer takes a second longer."""


@dataclass(frozen=True)
class Fault:
    """The n-th call of these verbs on this resource, and what happens to it and the `times` - 1 after it."""

    action: Action
    verbs: frozenset[Verb] = WRITES
    resource: str = ""
    """Any when empty."""
    nth: int = 1
    times: int = 1
    status: int = 0
    seconds: float = 0.0
    service: str = ""
    outage: Outage = Outage.DOWN

    def matches(self, call: Call) -> bool:
        return call.verb in self.verbs and self.resource in ("", call.resource)

    def __str__(self) -> str:
        """For people; what says nothing is left out."""
        what = [str(self.action), str(self.status or ""), self.service and f"{self.service} {self.outage}"]
        where = f"at {'/'.join(sorted(self.verbs))} {self.resource}".strip() + f" #{self.nth}"
        more = [f"x{self.times}" if self.times > 1 else "", f"{self.seconds:g} s" if self.seconds else ""]
        return " ".join(filter(None, [*what, where, *more]))


@dataclass(frozen=True)
class Plan:
    """A scenario and its faults; the seed makes it again."""

    seed: int
    scenario: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        """What a failure prints."""
        return f"seed {self.seed}: {self.scenario}, {'; '.join(map(str, self.faults))}"


@dataclass
class Director:
    """Counts the calls that a plan's faults wait for, and says which fault meets a call."""

    faults: tuple[Fault, ...] = ()
    foreign: frozenset[str] = frozenset()
    """Ids and names of what other tests have made: no fault meets them and none counts them."""
    met: list[tuple[Fault, Call]] = field(default_factory=list)
    _counts: dict[int, int] = field(default_factory=dict)

    def meet(self, call: Call) -> Fault | None:
        if not call.counts or call.mentions(self.foreign):
            return None
        chosen: Fault | None = None
        for index, fault in enumerate(self.faults):
            if not fault.matches(call):
                continue
            count = self._counts[index] = self._counts.get(index, 0) + 1
            if chosen is None and fault.nth <= count < fault.nth + fault.times:
                chosen = fault
        if chosen is not None:
            self.met.append((chosen, call))
        return chosen


_STATUSES = (409, 410, 429, 500, 503, 504)
_WATCHED = ("tenants", "plans", "pods")

Draw = Callable[[random.Random, int], tuple[Fault, ...]]


def _brief(dice: random.Random) -> float:
    return round(dice.uniform(0.3, 3.0), 1)


def _refuse(dice: random.Random, nth: int, verbs: frozenset[Verb]) -> tuple[Fault, ...]:
    return (Fault(Action.REFUSE, verbs, nth=nth, times=dice.randint(1, 3), status=dice.choice(_STATUSES)),)


def _disturb_watch(dice: random.Random, _: int) -> tuple[Fault, ...]:
    action = dice.choice((Action.CUT, Action.EXPIRE, Action.MUTE))
    return (Fault(action, EVENTS, dice.choice(_WATCHED), nth=dice.randint(1, 3), seconds=_brief(dice)),)


def _outage(dice: random.Random, nth: int) -> tuple[Fault, ...]:
    service, outage = dice.choice(SERVICES), dice.choice(list(Outage))
    return (Fault(Action.OUTAGE, nth=nth, seconds=_brief(dice), service=service, outage=outage),)


def _return_to_the_past(dice: random.Random, nth: int) -> tuple[Fault, ...]:
    """What is watched is listed after a start alone, so there has to be one."""
    return Fault(Action.KILL_AFTER, nth=nth), Fault(Action.STALE, MANY, dice.choice(_WATCHED))


# Faults that pass by: the operator has to reach the same end within a minute.
_DRAWS: tuple[Draw, ...] = (
    lambda _, nth: (Fault(Action.KILL_BEFORE, nth=nth),),
    lambda _, nth: (Fault(Action.KILL_AFTER, nth=nth),),
    lambda dice, nth: _refuse(dice, nth, WRITES),
    lambda dice, nth: _refuse(dice, nth, READS),
    lambda dice, nth: (Fault(Action.LOSE, nth=nth, times=dice.randint(1, 2)),),
    lambda dice, nth: (Fault(Action.DELAY, READS | WRITES, nth=nth, times=dice.randint(1, 5), seconds=_brief(dice)),),
    lambda dice, nth: (Fault(Action.MISROUTE, READS, nth=nth, status=dice.choice((404, 502))),),
    lambda dice, nth: (Fault(Action.STALE, ONE, nth=nth, times=dice.randint(1, 2)),),
    _return_to_the_past,
    _disturb_watch,
    _outage,
)


def draw(seed: int, scenarios: Sequence[str]) -> Plan:
    """One scenario and what goes wrong in it: up to three things."""
    dice = random.Random(seed)  # noqa: S311  reproducible, which a secret must not be
    scenario = dice.choice(scenarios)
    drawn = [dice.choice(_DRAWS)(dice, dice.randint(1, 12)) for _ in range(dice.randint(1, 3))]
    return Plan(seed, scenario, tuple(chain.from_iterable(drawn)))
