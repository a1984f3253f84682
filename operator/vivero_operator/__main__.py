"""`python -m vivero_operator`."""

from vivero_operator.main import main

main()
