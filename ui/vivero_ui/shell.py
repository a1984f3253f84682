"""What a page tells the shell (`vivero/app.html.j2`): navigation, place, account, commands."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NavItem:
    """One line of the sidebar; `icon` is a Lucide name of ui/src/icons.txt."""

    label: str
    href: str
    icon: str
    active: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class NavSection:
    """A group of lines; the title may be empty."""

    items: Sequence[NavItem]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in; `logout_href` takes a POST."""

    name: str
    email: str
    logout_href: str


@dataclass(frozen=True, slots=True)
class Command:
    """One entry of the command palette besides the navigation."""

    label: str
    href: str
    icon: str = "arrow-right"


@dataclass(frozen=True, slots=True)
class Shell:
    """All of it. `search_href` takes the typed words at its end, e.g. `/tenants?q=`."""

    brand: str
    home_href: str
    sections: Sequence[NavSection]
    account: Account | None = None
    subtitle: str = ""
    search_href: str = ""
    search_label: str = ""
    commands: Sequence[Command] = field(default_factory=tuple)
