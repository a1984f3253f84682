"""`python -m vivero_control serve | worker | migrate`."""

from vivero_control.main import main

main()
