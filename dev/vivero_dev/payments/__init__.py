"""A stand-in of Stripe: the part of its API that the control plane uses, its pages, and its webhooks. No money moves."""
