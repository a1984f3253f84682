"""Archives a database server's binary log, cut into one log for each tenant, so that each can go back to any second."""
