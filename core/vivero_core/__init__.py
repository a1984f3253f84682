"""What more than one Vivero program uses; knows none of its callers."""
