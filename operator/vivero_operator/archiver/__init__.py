"""The binary log of a database server, cut into one log for each tenant. Pure: bytes in, bytes out."""
