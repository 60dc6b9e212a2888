"""The vendor's own server for one's own machines, which needs a licence: run when somebody has one."""

from adapters.remote import Remote


class Licensed(Remote):
    """It defines the protocol, so nothing is peculiar; the name only keeps its figures apart."""

    name = "licensed"


ADAPTER = Licensed
