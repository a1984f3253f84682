"""One file a noun, as in the domain: each handler reads the request, asks a service, shows a page."""
