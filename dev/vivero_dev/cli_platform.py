"""up, down, reset, status, logs and signup."""

import argparse
import json
import os
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from vivero_dev.backing.addresses import BackingAddresses
from vivero_dev.display import make_display
from vivero_dev.errors import ComponentError
from vivero_dev.instance import Instance, forget_instance, load_instance, open_instance
from vivero_dev.platform.credentials import ADMIN_EMAIL, RECOVERY_KEY, admin_password
from vivero_dev.platform.values import Chores
from vivero_dev.provider import Provider
from vivero_dev.providers import provider_for
from vivero_dev.secret_store import SecretStore
from vivero_dev.status import DemoFile, as_json, platform_health
from vivero_dev.steps import Step, run_steps
from vivero_dev.up import Platform

LOG_LINES = "200"


def up(options: argparse.Namespace, console: Console) -> int:
    begin = time.monotonic()
    provider = provider_for(open_instance(options.instance), options.provider, lambda text: _note(console, text))
    with make_display(console) as display:
        chores = Chores(options.proofs, options.undo_days, scheduled_backups=not options.no_scheduled_backups)
        platform = Platform(
            provider, options.requests_per_minute, options.pool, chores, observability=options.observability
        )
        run_steps(platform.steps(demo=not options.no_demo), display)
    console.print(_summary(provider, time.monotonic() - begin))
    return 0


def down(options: argparse.Namespace, console: Console) -> int:
    instance = load_instance(options.instance)
    if instance is None:
        console.print(f"There is no instance {options.instance}.")
        return 0
    take_down(provider_for(instance, options.provider), console)
    return 0


def take_down(provider: Provider, console: Console, *, erase: bool = False) -> None:
    """Stop everything, with `erase` also delete the data, then check that nothing is left."""
    stop = Step("down", provider.erase if erase else provider.down)
    with make_display(console) as display:
        run_steps([stop, Step("check", lambda _: _nothing_left(provider), ("down",))], display)
    if erase:
        forget_instance(provider.instance)


def reset(options: argparse.Namespace, console: Console) -> int:
    instance = load_instance(options.instance)
    if instance is not None:
        take_down(provider_for(instance, options.provider), console, erase=True)
    console.print(f"Instance {options.instance} and its data are gone.")
    return 0


def status(options: argparse.Namespace, console: Console) -> int:
    """Returns 0 if every part is healthy, else 1; with --json 0 as soon as the instance exists."""
    provider = provider_for(_existing(options.instance), options.provider)
    if options.json:
        console.print_json(json.dumps(as_json(provider)))
        return 0
    parts = platform_health(provider)
    table = Table(title=f"Vivero, instance {options.instance} ({provider.name})", title_justify="left")
    for heading in ("Part", "State", "Details"):
        table.add_column(heading)
    for part in parts:
        table.add_row(part.component, "[green]healthy[/]" if part.ok else "[red]unhealthy[/]", part.message)
    console.print(table)
    return 0 if all(part.ok for part in parts) else 1


def logs(options: argparse.Namespace, console: Console) -> int:
    provider = provider_for(_existing(options.instance), options.provider)
    files = provider.logs()
    name = options.component
    if name is None:
        console.print("\n".join(sorted(files)), highlight=False)
        return 0
    if name in files:
        words = ["tail", "-n", LOG_LINES, *(() if options.no_follow else ("--follow=name",)), str(files[name])]
    else:
        words = _pod_log(provider, name, follow=not options.no_follow)
    # Replaces this process (exec), so that Ctrl-C reaches the follower.
    return os.execvp(words[0], words)  # noqa: S606  no shell, words of this package


def signup(options: argparse.Namespace, console: Console) -> int:
    provider = provider_for(_existing(options.instance), options.provider)
    trial = Platform(provider).trial(options.company, options.email)
    table = Table(
        title=f"{options.company} is ready after {trial.seconds:.1f} s", title_justify="left", show_header=False
    )
    table.add_row("Workspace", trial.url)
    table.add_row("Login", f"{trial.email} / {trial.password}")
    console.print(table)
    # Unwrapped on its own line, so that it can be opened by a click; it works once.
    console.print(f"Log in without a password: {trial.login_url}", markup=False, highlight=False, soft_wrap=True)
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "up": up,
    "down": down,
    "reset": reset,
    "status": status,
    "logs": logs,
    "signup": signup,
}


def _existing(name: str) -> Instance:
    if load_instance(name) is None:
        raise ComponentError(f"instance {name}", "does not exist; run ./vivero up first")
    return open_instance(name)


def _note(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _nothing_left(provider: Provider) -> str:
    left = provider.leftovers()
    if left:
        raise ComponentError("down", "still there: " + ", ".join(left))
    return "nothing left"


def _pod_log(provider: Provider, name: str, *, follow: bool) -> list[str]:
    """Command for `NAMESPACE/POD`, or for all pods of the Deployment of that name in the platform's namespace."""
    namespace, slash, pod = name.partition("/")
    target = (
        [f"--namespace={namespace}", pod]
        if slash
        else ["--namespace=vivero-system", f"deployment/{name}", "--all-pods"]
    )
    options = ["--all-containers", f"--tail={LOG_LINES}", *(("--follow",) if follow else ())]
    return provider.kubectl().command("logs", *target, *options)


def _two_columns(title: str) -> Table:
    """A table of names and values; long values wrap without truncation, so that they can be copied."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _summary(provider: Provider, seconds: float) -> Table:
    instance = provider.instance
    table = _two_columns(f"Vivero is up after {seconds:.0f} s")
    table.add_row("Control plane", instance.public_url)
    table.add_row("Staff login", f"{ADMIN_EMAIL} / {admin_password(SecretStore(instance.secrets_dir))}")
    demo = DemoFile.of(instance).read()
    if demo is not None:
        table.add_row("Demo workspace", demo.url)
        table.add_row("Demo login", f"{demo.email} / {demo.password}")
        table.add_row("Signup took", f"{demo.seconds:.1f} s")
    table.add_row("Mails", BackingAddresses.of(instance).mail_url)
    table.add_row("Payments", f"{BackingAddresses.of(instance).payments_url} (stand-in of Stripe: no money moves)")
    for name, url in provider.observability().items():
        table.add_row(name.title(), url)
    table.add_row("kubectl", f"KUBECONFIG={instance.kubeconfig} {provider.kubectl().program}")
    table.add_row("Recovery key", f"{instance.secrets_dir / RECOVERY_KEY} (private half; rebuilds it from the backups)")
    table.add_row("Certificate authority", str(instance.certificates_dir / "ca.crt"))
    return table
