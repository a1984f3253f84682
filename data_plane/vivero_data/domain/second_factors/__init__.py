"""A second factor of logins: codes of an authenticator app, and recovery codes."""
