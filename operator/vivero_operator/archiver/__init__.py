"""Archives a database server's binary log, cut by tenant, so that each can be restored to any second."""
