"""The states, journals and events that `bench state` sends: made from a seed, alike on every machine.

A resource is of class T of the performance goals: realistic JSON of 1.3 to 1.6 KB that gzip makes a third of. The text
of a resource is a function of (stack, number, generation), so a worker can make it again instead of keeping it.
"""

import base64
import hashlib
import json

ORGANIZATION, PROJECT = "main", "bench"
SECRET = '"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":'
VERSION = "v3.274.1"
PROVIDER_ID = "0f6e9a53-70a8-4a4e-9d6e-3a1f6f1f0b11"
CHANGEABLE = 50  # every so many resources is one without dependencies, which may be changed without the others

KINDS = ["compute/instance:Instance", "compute/volume:Volume", "network/subnet:Subnet", "network/firewall:Firewall",
         "storage/bucket:Bucket", "dns/record:Record", "database/cluster:Cluster", "queue/topic:Topic"]
REGIONS = ["north-1", "north-2", "west-1", "east-4"]


def vocabulary():
    """256 pronounceable words."""
    heads, tails = "ba ce di fo gu ka le mi no pu ra se ti vo wu za".split(), "ran ler min dos tun vek sil gar".split()
    return [head + middle + tail for head in heads for middle in ("n", "ri") for tail in tails]


WORDS = vocabulary()


def words(digest):
    return " ".join([WORDS[byte] for byte in digest])


class Stack:
    """The names in the states of one stack, and the texts of its resources."""

    def __init__(self, name):
        self.name = name
        self.path = f"/api/stacks/{ORGANIZATION}/{PROJECT}/{name}"
        self.root = self.urn("pulumi:pulumi:Stack", f"{PROJECT}-{name}")
        self.provider = self.urn("pulumi:providers:cloud", "default")

    def urn(self, kind, name):
        return f"urn:pulumi:{self.name}::{PROJECT}::{kind}::{name}"

    def resource_urn(self, number):
        return self.urn("cloud:" + KINDS[number % len(KINDS)], f"r{number}")

    def parts(self, number, generation=0):
        """The text of a resource in five parts; the second and the fourth are what only its making tells."""
        if number == 0:
            return f'{{"urn":"{self.root}","custom":false', "", ',"type":"pulumi:pulumi:Stack"', "", "}"
        if number == 1:
            head, region = f'{{"urn":"{self.provider}","custom":true', '{"region":"north-1"}'
            middle = f',"type":"pulumi:providers:cloud","inputs":{region}'
            return head, f',"id":"{PROVIDER_ID}"', middle, f',"outputs":{region}', "}"
        digest = hashlib.shake_128(f"{self.name}/{number}/{generation}".encode()).digest(330)
        digits, texts = digest[:110].hex(), base64.b64encode(digest[110:254]).decode()
        kind, region = KINDS[number % len(KINDS)], REGIONS[digest[0] & 3]
        inputs = (
            f'"__defaults":[],"name":"r{number}-{digits[0:8]}","description":"{words(digest[254:266])}",'
            f'"region":"{region}","image":"img-{digits[8:25]}","subnet":"subnet-{digits[25:42]}",'
            f'"groups":["sg-{digits[42:59]}"],"tags":{{"owner":"{WORDS[digest[1]]}","revision":"{generation}"}},'
            f'"script":"{texts[:80]}"'
        )
        outputs = (
            f'"arn":"arn:cloud:{region}:{digest[55] * 7919:012d}:{digits[69:86]}","script":"{texts[80:180]}",'
            f'"address":"10.{digest[2]}.{digest[3]}.{digest[4]}","status":"running","etag":"{digits[86:118]}",'
            f'"fingerprint":"{digits[118:196]}","notes":"{words(digest[274:304])}"'
        )
        if number % 10 == 0:
            outputs += f',"password":{{{SECRET}"{texts[104:192]}"}}'
        links = f',"parent":"{self.root}","provider":"{self.provider}::{PROVIDER_ID}"'
        if number > 2 and number % CHANGEABLE:
            previous = self.resource_urn(number - 1)
            links += f',"dependencies":["{previous}"],"propertyDependencies":{{"subnet":["{previous}"]}}'
        return (
            f'{{"urn":"{self.resource_urn(number)}","custom":true',
            f',"id":"i-{digits[196:213]}"',
            f',"type":"cloud:{kind}","inputs":{{{inputs}}}',
            f',"outputs":{{{outputs}}}',
            f'{links},"created":"2026-01-{digest[5] % 28 + 1:02d}T{digest[6] % 24:02d}:{digest[7] % 60:02d}:07.123Z"}}',
        )

    def resource(self, number, generation=0):
        return "".join(self.parts(number, generation))

    def intention(self, number, generation=0):
        """What the first entry of a step says about a resource."""
        head, _, middle, _, end = self.parts(number, generation)
        return head + middle + end

    def secrets_provider(self):
        state = {"url": "http://127.0.0.1", "owner": ORGANIZATION, "project": PROJECT, "stack": self.name}
        return json.dumps({"type": "service", "state": state}, separators=(",", ":"))

    def deployment(self, resources):
        """An UntypedDeployment of resources' texts."""
        magic = hashlib.sha256(VERSION.encode()).hexdigest()
        return (
            f'{{"version":3,"deployment":{{"manifest":{{"time":"2026-01-01T00:00:00Z","magic":"{magic}",'
            f'"version":"{VERSION}"}},"secrets_providers":{self.secrets_provider()},"metadata":{{}},'
            f'"resources":[{",".join(resources)}]}}}}'
        )


class Journal:
    """Writes the entries of one update, in their order, as texts."""

    def __init__(self, stack):
        self.stack, self.entries, self.operations = stack, 0, 0

    def entry(self, kind, operation, fields="", old="null"):
        self.entries += 1
        return (f'{{"version":1,"kind":{kind},"sequenceID":{self.entries},"operationID":{operation},'
                f'"removeOld":{old},"removeNew":null{fields}}}')

    def begin(self):
        return self.entry(6, 0, f',"secretsProvider":{self.stack.secrets_provider()}')

    def step(self, kind, text, intention, old="null"):
        """The two entries of a step that ends well."""
        self.operations += 1
        operation = f',"operation":{{"resource":{intention},"type":"{kind}"}}' if kind != "same" else ""
        return [self.entry(0, self.operations, operation), self.entry(1, self.operations, f',"state":{text}', old)]

    def create(self, number):
        return self.step("creating", self.stack.resource(number), self.stack.intention(number))

    def update(self, number, generation, old):
        stack = self.stack
        return self.step("updating", stack.resource(number, generation), stack.intention(number, generation), old)

    def same(self, number, old):
        return self.step("same", self.stack.resource(number), "", old)


def event(stack, sequence):
    """One engine event of about 1 KB: a step of a resource, before or after it."""
    number = sequence // 2 + 2
    head, _, middle, _, _ = stack.parts(number)
    kind = "resOutputsEvent" if sequence % 2 else "resourcePreEvent"
    return (
        f'{{"sequence":{sequence},"timestamp":{1767225600 + sequence // 100},"{kind}":{{"metadata":{{"op":"create",'
        f'"urn":"{stack.resource_urn(number)}","type":"cloud:{KINDS[number % len(KINDS)]}","old":null,'
        f'"new":{head}{middle},"parent":"{stack.root}","outputs":{{}}}},"keys":null,"diffs":null,'
        f'"detailedDiff":null,"logical":true,"provider":"{stack.provider}::{PROVIDER_ID}"}}}}}}'
    )
