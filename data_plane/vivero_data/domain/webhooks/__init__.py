"""Webhooks: other systems are told of records that are made, changed and deleted (standardwebhooks.com)."""
