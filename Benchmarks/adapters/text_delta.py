"""A server with one static token and one configured organization that takes the edits of a delta only as a string."""

from adapters.remote import Remote


class TextDelta(Remote):
    """Sending the list as the protocol says would never exercise its delta, so it gets what it wants, and a remark."""

    name = "text-delta"
    delta_is_text = True
    notes = ("checkpoint deltas were sent as a string, which no client does",)


ADAPTER = TextDelta
