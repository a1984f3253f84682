"""The mail sink as a process: accepts every mail, delivers none, shows them over HTTPS."""

from vivero_dev.backing import mail
from vivero_dev.native.services.base import OWN_USER, ServiceHost, serve_own
from vivero_dev.steps import Say

NAME = "mail"


def ensure_mail(host: ServiceHost, say: Say) -> str:
    folder = host.certified_folder(NAME, OWN_USER, "data")
    ports, url = host.instance.ports, host.reachable.mail_url
    say("starting")
    arguments = [f"--smtp-port={ports['smtp']}", f"--web-port={ports['mail']}"]
    serve_own(host, NAME, folder, arguments, lambda: mail.health(url, host.authority.certificate).ok)
    return url
