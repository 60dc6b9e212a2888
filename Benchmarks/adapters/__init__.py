"""Servers that the load generator can measure: one small file for each, with what is peculiar to it."""

import http.client
import importlib
import ipaddress
import json
import pkgutil
import socket
import urllib.parse
import zlib

import harness

ACCEPT = "application/vnd.pulumi+9"
USER_AGENT = "pulumi-cli/1 (v3.274.1; linux; cmd=up)"


class Adapter:
    """A server under measurement, and how it differs from what the protocol says.

    The class attributes are those of a conforming server.
    """

    name = "conforming"
    compares_bytes = True  # or only by value, because the server keeps parsed documents
    delta_is_text = False  # the list of edits has to be sent as a string
    kinds = ("update", "preview", "refresh", "destroy")  # what create takes; all else is at `update`
    lacks = {}  # letters of scenarios that it cannot do, and why
    notes = ()

    def __init__(self, addresses, token, organization):
        self.addresses, self.token, self.organization = list(addresses), token, organization
        self.processes, self.folder = [], None

    def deltas(self, edits):
        """The value of `deploymentDelta` as this server takes it."""
        text = json.dumps(edits, separators=(",", ":"))
        return json.dumps(text) if self.delta_is_text else text

    def client(self, index=0):
        return Client(self.addresses[index], self.token)


class Client:
    """Requests that are not measured: they make what is needed and look at what is there."""

    def __init__(self, address, token):
        self.address, self.token = address, token

    def send(self, method, path, body=None, headers=(), gzip=True, accept=(2,)):
        """The text of an answer; a status of another class than those accepted is no figure."""
        fields = {"Authorization": f"token {self.token}", "Accept": ACCEPT, "Content-Type": "application/json",
                  "User-Agent": USER_AGENT, **dict(headers)}
        if gzip:
            fields["Accept-Encoding"] = "gzip"
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        connection = http.client.HTTPConnection(self.address, timeout=240)
        try:
            connection.request(method, path, data, fields)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise harness.NoFigure(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if answer.headers.get("Content-Encoding") == "gzip":
            text = zlib.decompress(text, 31)
        if answer.status // 100 not in accept:
            raise harness.NoFigure(f"{method} {path}: {answer.status} {text[:300].decode(errors='replace')}")
        return text

    def ask(self, *arguments, **options):
        return json.loads(self.send(*arguments, **options) or b"null")


def check_address(url, allow_remote):
    """HOST:PORT of a URL. Load goes to this machine only, unless somebody says that another one may be loaded."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise SystemExit(f"{url}: the generator speaks plain HTTP; put a proxy that ends TLS before a server without it")
    address = ipaddress.ip_address(socket.getaddrinfo(parts.hostname, None)[0][4][0])
    if not address.is_loopback and not allow_remote:
        raise SystemExit(f"{url} is not on this machine; --allow-remote measures it all the same")
    return f"{parts.hostname}:{parts.port or 80}"


def classes():
    """All adapters, by the word that `--server` takes."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        adapter = importlib.import_module(f"adapters.{module.name}").ADAPTER
        found[adapter.name] = adapter
    return found
