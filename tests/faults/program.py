"""The whole operator in a process of its own, which a test can kill; only names of the cluster are resolved for it.

Reads where they lead as JSON from standard input; all else is in its environment, as in a pod.
"""

import json
import sys

from integration.operator.live import cluster_names
from vivero_operator.main import main

if __name__ == "__main__":
    found = {name: (host, int(port)) for name, (host, port) in json.load(sys.stdin).items()}
    with cluster_names(found):
        main()
