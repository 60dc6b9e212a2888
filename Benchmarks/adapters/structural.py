"""A server that keeps states as parsed documents, in a mode of fixed development tokens."""

from adapters.remote import Remote


class Structural(Remote):
    """Its exports have other bytes than were saved: they are compared by value, and the report says both."""

    name = "structural"
    compares_bytes = False
    kinds = ("update", "preview", "refresh", "destroy")
    notes = ("states come back in other bytes than were saved; compared by value",)


ADAPTER = Structural
