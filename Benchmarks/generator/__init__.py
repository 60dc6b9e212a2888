"""The load generator: data model, reference replay, plans for pacer.c, probes of the server, and the report."""
