"""Page controllers, one file a noun as in the domain: a handler parses the request, calls a service, renders a page."""
