"""The data of the load generator, deterministic from a seed: resources, states, events, and the table of sizes.

Resource *i* has the URN `urn:pulumi:S::P::t:m:R::r{i}`, an id, inputs and outputs with *p* bytes of payload together,
depends on *i−1*, and has a parent, a provider and two times; each tenth has a secret. A payload is of class R (random
base64, gzip makes it 1.3 times smaller), T (words and identifiers, about 3) or X (one letter, more than 100: only to
repeat figures that others took so).
"""

import base64
import functools
import hashlib
import json
from dataclasses import dataclass

VERSION = "v3.274.1"
SIGNATURE = '"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"'
PROVIDER_ID = "0f6e9a53-70a8-4a4e-9d6e-3a1f6f1f0b11"

# Label: resources and bytes of payload in each.
SIZES = {
    "1 KB": (1, 0), "16 KB": (10, 1000), "160 KB": (100, 1000), "1.6 MB": (1_000, 1000), "16 MB": (10_000, 1000),
    "16 MB-fat": (130, 120_000), "100 MB": (63_000, 1000), "100 MB-fat": (200, 512_000),
}


def _vocabulary():
    heads, tails = "ba ce di fo gu ka le mi no pu ra se ti vo wu za".split(), "ran ler min dos tun vek sil gar".split()
    return [head + middle + tail for head in heads for middle in ("n", "ri") for tail in tails]


WORDS = _vocabulary()


def payload(kind, key, size):
    """`size` characters of class R, T or X that depend on nothing but `key`."""
    if kind == "X" or not size:
        return "x" * size
    if kind == "R":
        return base64.b64encode(hashlib.shake_128(key.encode()).digest(size * 3 // 4 + 3)).decode()[:size]
    digest = hashlib.shake_128(key.encode()).digest(max(8, size // 5))
    words = " ".join([WORDS[byte] for byte in digest[: len(digest) // 2]])
    return (words + " arn:cloud:north-1:" + digest[len(digest) // 2 :].hex() + words * 4)[:size]


@dataclass(frozen=True)
class Stack:
    """The names of one stack and the texts of what is in it."""

    organization: str
    project: str
    name: str
    seed: int = 1
    kind: str = "T"
    size: int = 1000

    @property
    def path(self):
        return f"/api/stacks/{self.organization}/{self.project}/{self.name}"

    @functools.cached_property
    def root(self):
        return self.urn("pulumi:pulumi:Stack", f"{self.project}-{self.name}")

    @functools.cached_property
    def provider(self):
        return self.urn("pulumi:providers:t", "default")

    def urn(self, kind, name):
        return f"urn:pulumi:{self.name}::{self.project}::{kind}::{name}"

    def resource(self, number, generation=0, intention=False):
        """The text of a resource: 0 is the stack itself, 1 its provider, *i + 2* is `r{i}`.

        An intention lacks what only its making tells: id, outputs and times.
        """
        if number == 0:
            return f'{{"urn":"{self.root}","custom":false,"type":"pulumi:pulumi:Stack"}}'
        if number == 1:
            known = "" if intention else f'"id":"{PROVIDER_ID}",'
            return (f'{{"urn":"{self.provider}","custom":true,{known}"type":"pulumi:providers:t",'
                    '"inputs":{"region":"north-1"},"outputs":{"region":"north-1"}}')
        index = number - 2
        key = f"{self.seed}/{self.name}/{index}/{generation}"
        text = payload(self.kind, key, self.size)
        half = self.size // 2
        inputs = f'{{"name":"r{index}","revision":{generation},"payload":"{text[:half]}"}}'
        head = f'{{"urn":"{self.urn("t:m:R", f"r{index}")}","custom":true,'
        before = self.urn("t:m:R", f"r{index - 1}")
        links = f',"parent":"{self.root}","provider":"{self.provider}::{PROVIDER_ID}"'
        links += f',"dependencies":["{before}"],"propertyDependencies":{{"name":["{before}"]}}' if index else ""
        if intention:
            return f'{head}"type":"t:m:R","inputs":{inputs}{links}}}'
        digest = hashlib.blake2b(key.encode(), digest_size=40).digest()
        secret = ""
        if index % 10 == 9:
            secret = f',"password":{{{SIGNATURE},"ciphertext":"{base64.b64encode(digest[8:]).decode()}"}}'
        outputs = f'{{"name":"r{index}","etag":"{digest[:8].hex()}","payload":"{text[half:]}"{secret}}}'
        times = f',"created":"2026-01-0{digest[0] % 9 + 1}T10:00:00Z","modified":"2026-02-0{digest[1] % 9 + 1}T11:30:00Z"'
        return f'{head}"id":"i-{digest[:8].hex()}","type":"t:m:R","inputs":{inputs},"outputs":{outputs}{links}{times}}}'

    def resources(self, count):
        """The stack, its provider, and as many resources as the size table says."""
        return [self.resource(number) for number in range(count + 2)]

    @functools.cached_property
    def keeper(self):
        """The secrets manager as states and journals name it."""
        state = {"url": "http://127.0.0.1", "owner": self.organization, "project": self.project, "stack": self.name}
        return json.dumps({"type": "service", "state": state}, separators=(",", ":"))

    def around(self):
        """The text of a state before and after its resources."""
        magic = hashlib.sha256(VERSION.encode()).hexdigest()
        return (f'{{"version":3,"deployment":{{"manifest":{{"time":"2026-01-01T00:00:00Z","magic":"{magic}","version":'
                f'"{VERSION}"}},"secrets_providers":{self.keeper},"metadata":{{}},"resources":['), "]}}"

    def deployment(self, texts):
        """An UntypedDeployment of resources' texts."""
        before, after = self.around()
        return before + ",".join(texts) + after

    def events(self, first, count):
        """The text of a batch: each resource has three events of about 1 KB."""
        return '{"events":[' + ",".join(self.event(first + index) for index in range(count)) + "]}"

    def event(self, sequence):
        index, step = divmod(sequence, 3)
        kind = ("resourcePreEvent", "resOutputsEvent", "resOutputsEvent")[step]
        urn = self.urn("t:m:R", f"r{index}")
        text = payload("T", f"event/{sequence}", 500)
        state = f'"type":"t:m:R","urn":"{urn}","custom":true,"id":"","parent":"{self.root}"'
        return (f'{{"sequence":{sequence},"timestamp":{1767225600 + sequence // 50},"{kind}":{{"metadata":{{"op":"update",'
                f'"urn":"{urn}","type":"t:m:R","old":null,"new":{{{state},"inputs":{{"payload":"{text}"}},"outputs":{{}},'
                f'"provider":"{self.provider}::{PROVIDER_ID}"}},"keys":null,"diffs":null,"detailedDiff":null,'
                f'"logical":true,"provider":"{self.provider}::{PROVIDER_ID}"}}}}}}')
