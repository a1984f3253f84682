"""The workspace's pages: server-rendered HTML over the same services as the API."""
