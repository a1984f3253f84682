"""Staff: the people who run the platform, their logins and tokens."""
