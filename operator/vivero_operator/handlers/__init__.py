"""Watches; the only importers of kopf. A handler parses, updates the mirror, and queues a key.

Low-level event handlers throughout: kopf writes nothing into our objects (no finalizer, no annotations), waits for no
consistency and batches nothing; when and how often to reconcile is the queue's business.
"""
