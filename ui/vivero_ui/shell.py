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
    """A group of lines; the title may be empty.

    Attributes:
        more: where the rest is of a group that shows only some.
        find_href: takes `q`, with what is typed into the section's search box; empty if it has none.
        searched: the palette asks the server for its lines as one types, and shows these until then.
    """

    items: Sequence[NavItem]
    title: str = ""
    more: NavItem | None = None
    searched: bool = False
    find_href: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Who is logged in; `logout_href` takes a POST.

    Attributes:
        security_href: where one's own login is set up; empty where the navigation leads there.
    """

    name: str
    email: str
    logout_href: str
    security_href: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One entry of the command palette besides the navigation."""

    label: str
    href: str
    icon: str = "arrow-right"


@dataclass(frozen=True, slots=True)
class Shell:
    """All of it.

    Attributes:
        search_href: takes the typed words at its end, e.g. `/tenants?q=`.
        palette_href: as well; answers with the palette's options (`vivero/palette.html.j2`) for a searched section.
    """

    brand: str
    home_href: str
    sections: Sequence[NavSection]
    account: Account | None = None
    subtitle: str = ""
    search_href: str = ""
    search_label: str = ""
    palette_href: str = ""
    commands: Sequence[Command] = field(default_factory=tuple)
