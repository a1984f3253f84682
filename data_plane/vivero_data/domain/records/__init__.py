"""Records: the rows of a collection."""
