"""The backing services whatever runs them: their settings, their accounts, how to ask if they are well."""
