"""Another e-mail address of an account, confirmed by a link that is mailed there."""
