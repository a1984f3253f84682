"""`./vivero test`: lints, tests without a platform, a platform of their own, tests on it."""
