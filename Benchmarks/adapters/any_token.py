"""A server that takes any token and drops journals and deltas."""

from adapters.remote import Remote


class AnyToken(Remote):
    """What it acknowledges and loses is recorded as failed, not measured."""

    name = "any-token"
    lacks = {"C": "journal entries are acknowledged and dropped", "E": "deltas are acknowledged and dropped"}


ADAPTER = AnyToken
