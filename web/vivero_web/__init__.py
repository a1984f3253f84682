"""What the control plane and the data plane have in common as web programs; it knows neither of them.

It imports nothing heavier than the data plane does: an idle pod's memory is a promise.
"""
