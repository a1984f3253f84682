"""What the harness tried and what came of it, in one table at the end of a run."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from faults.plan import Action, Fault

_SURPLUS = "undisturbed None,"


@dataclass
class Tally:
    """Counted as the tests of a module go."""

    plans: int = 0
    """Runs of a scenario in which a fault struck."""
    spared: int = 0
    """Runs in which no call came that a fault waited for."""
    converged: int = 0
    leaves: int = 0
    """Leaves of custom resources that were walked."""
    hands: int = 0
    """Things done to tenants by hand."""
    differences: int = 0
    duplicates: int = 0
    """Of the differences, what is there and is not in an undisturbed run."""
    orphans: int = 0
    """Things in the cluster and on servers at the end, whose Tenant is gone."""
    struck: Counter[Action] = field(default_factory=Counter)

    def played(self, met: Iterable[Fault], problems: list[str]) -> None:
        """One run of a scenario has ended."""
        actions = [fault.action for fault in met]
        self.struck.update(actions)
        if actions:
            self.plans += 1
        else:
            self.spared += 1
        self.converged += bool(actions and not problems)
        self.differences += len(problems)
        self.duplicates += sum(_SURPLUS in problem for problem in problems)

    def lines(self) -> Iterator[str]:
        """For people."""
        share = f"{100 * self.converged / self.plans:.0f} %" if self.plans else "none"
        yield f"plans played       {self.plans}, and {self.spared} that no fault struck"
        yield f"converged          {self.converged} ({share})"
        yield f"leaves walked      {self.leaves}"
        yield f"hands              {self.hands}"
        yield f"differences        {self.differences}, duplicates {self.duplicates}"
        yield f"orphans            {self.orphans}"
        yield f"faults that struck {sum(self.struck.values())}"
        for action, count in self.struck.most_common():
            yield f"  {action:<16} {count}"
