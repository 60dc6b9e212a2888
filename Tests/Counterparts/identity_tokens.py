"""Makes identity-tokens.json beside this file: honest and forged identity tokens, signed by another implementation.

    python3 -m venv venv && venv/bin/pip install pyjwt cryptography
    venv/bin/python Tests/Counterparts/identity_tokens.py

Keys are made anew by each run and thrown away; the file holds public keys only. Times are around 2030-01-01T00:00:00Z,
where the clocks of tests stand. What PyJWT makes of each token is noted beside what Cairn must make of it: where the two
differ, `why` says why we are stricter. A token that PyJWT refuses and that must be taken, or the other way round without
a reason, ends the script.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import time

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

NOW = 1_893_456_000
ISSUER = "https://issuer.example"
AUDIENCE = "urn:pulumi:org:acme"
TARGET = pathlib.Path(__file__).resolve().with_name("identity-tokens.json")

# PyJWT asks the system for the time.
time.time = lambda: float(NOW)


class FixedClock(jwt.api_jwt.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


jwt.api_jwt.datetime = FixedClock

KEYS = {
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "rsa-pss": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "rsa-2": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed": ed25519.Ed25519PrivateKey.generate(),
}
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER_EC = ec.generate_private_key(ec.SECP256R1())
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def jwk(name, key, **more):
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        fields = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    elif isinstance(public, ec.EllipticCurvePublicKey):
        numbers, size = public.public_numbers(), (public.curve.key_size + 7) // 8
        curve = {256: "P-256", 384: "P-384"}[public.curve.key_size]
        fields = {"kty": "EC", "crv": curve, "x": number(numbers.x, size), "y": number(numbers.y, size)}
    else:
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        fields = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    return {"kid": name, **fields, **more}


JWKS = {"keys": [
    jwk("rsa", KEYS["rsa"], use="sig"),
    jwk("rsa-pss", KEYS["rsa-pss"], alg="PS256", key_ops=["verify"]),
    jwk("p256", KEYS["p256"], alg="ES256", use="sig"),
    jwk("p384", KEYS["p384"]),
    jwk("ed", KEYS["ed"]),
    jwk("rsa-2", KEYS["rsa-2"]),
    jwk("weak", WEAK),
    jwk("for-encryption", STRANGER, use="enc"),
    {"kty": "RSA", "kid": "even", "n": number(KEYS["rsa"].public_key().public_numbers().n), "e": b64(b"\x02")},
    {"kty": "RSA", "kid": "one", "n": number(KEYS["rsa"].public_key().public_numbers().n), "e": b64(b"\x01")},
    {"kty": "EC", "kid": "off-curve", "crv": "P-256", "x": b64(b"\x01" * 32), "y": b64(b"\x02" * 32)},
    {"kty": "EC", "kid": "infinity", "crv": "P-256", "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)},
    {"kty": "oct", "kid": "shared", "k": b64(b"not a secret any more")},
    {"kty": "future", "kid": "future"}, {"kid": "empty"}, 5, None,
]}
JWKS["keys"] = [key for key in JWKS["keys"] if isinstance(key, dict)] + [5, None]


def sign(key, algorithm, message):
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}.get(algorithm[2:])
    if algorithm.startswith("RS"):
        return key.sign(message, padding.PKCS1v15(), digest)
    if algorithm.startswith("PS"):
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    if algorithm.startswith("ES"):
        size = (key.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return key.sign(message)


CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "repo:acme/site:ref:refs/heads/main", "iat": NOW - 30,
          "nbf": NOW - 30, "exp": NOW + 300, "repository": "acme/site", "run": 17, "protected": True,
          "groups": ["builders", "deployers"], "kubernetes.io": {"pod": {"name": "runner-7"}}}


def compact(header, payload, signature):
    return ".".join(part if isinstance(part, str) else b64(part) for part in (header, payload, signature))


def token(key="rsa", algorithm="RS256", claims=CLAIMS, header=None, signer=None, payload=None, head=None, **changes):
    """A token by the honest way, with whatever is changed."""
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not ...}
    fields = {"alg": algorithm, "typ": "JWT", "kid": key, **(header or {})}
    fields = {name: value for name, value in fields.items() if value is not ...}
    first = head if head is not None else json.dumps(fields).encode()
    second = payload if payload is not None else json.dumps(claims).encode()
    message = f"{b64(first)}.{b64(second)}".encode()
    return compact(first, second, sign(signer or KEYS[key], algorithm, message))


CASES = []


def takes(name, text, why=None):
    CASES.append({"name": name, "token": text, "problem": None, "why": why})


def refuses(name, text, problem, why=None):
    CASES.append({"name": name, "token": text, "problem": problem, "why": why})


def honest():
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        takes(algorithm, token(algorithm=algorithm))
    takes("PS256 with a key that is for it", token("rsa-pss", "PS256"))
    takes("ES256", token("p256", "ES256"))
    takes("ES384", token("p384", "ES384"))
    takes("EdDSA", token("ed", "EdDSA"))
    takes("without a type", token(header={"typ": ...}))
    takes("a type in small letters", token(header={"typ": "jwt"}))
    takes("an audience in a list", token(aud=[AUDIENCE]))
    takes("several audiences", token(aud=["other", AUDIENCE]))
    takes("without nbf and iat", token(nbf=..., iat=...))
    takes("expired within the skew", token(exp=NOW - 59))
    takes("valid from within the skew", token(nbf=NOW + 59, iat=NOW + 59))
    takes("times with fractions", token(exp=NOW + 300.5, iat=NOW - 30.25),
          why="PyJWT takes whole numbers only; RFC 7519 allows fractions")
    takes("a key brought along, not used", token(header={"jwk": jwk("x", STRANGER), "x5c": ["AA=="]}))
    takes("an address of keys, not visited", token(header={"jku": "https://evil.example", "x5u": "https://evil.example"}))
    takes("an Ed25519 token that names no key, of which there is one", token("ed", "EdDSA", header={"kid": ...}))


def forged_algorithms():
    alg = "its algorithm is none of"
    body = json.dumps(CLAIMS).encode()
    none = json.dumps({"alg": "none", "typ": "JWT", "kid": "rsa"}).encode()
    public = KEYS["rsa"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    refuses("none without a signature", compact(none, body, ""), "three parts")
    refuses("none with a signature", compact(none, body, b"x"), alg)
    for word in ("None", "NONE", "nOnE", "", "RS256 ", "rs256", "RS1", "ES512", "ES256K", "HS384", "A128KW", "dir"):
        head = json.dumps({"alg": word, "typ": "JWT", "kid": "rsa"}).encode()
        message = f"{b64(head)}.{b64(body)}".encode()
        refuses(f"the algorithm '{word}'", compact(head, body, sign(KEYS["rsa"], "RS256", message)), alg)
    for label, secret in (("PEM", pem), ("PEM without its end", pem.strip()), ("DER", der), ("nothing", b""),
                          ("the shared key", b"not a secret any more")):
        for kid in ("rsa", "shared"):
            head = json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode()
            mac = hmac.new(secret, f"{b64(head)}.{b64(body)}".encode(), hashlib.sha256).digest()
            refuses(f"HS256 with {label} as its secret, {kid}", compact(head, body, mac), alg)
    for value in (5, None, ["RS256"], {"a": 1}, True):
        refuses(f"an algorithm that is {json.dumps(value)}", token(header={"alg": value}), alg)
    refuses("without an algorithm", token(header={"alg": ...}), alg)
    key = "no key of its 'kid' and 'alg'"
    refuses("RS256 for a key of a curve", token("p256", "RS256", signer=STRANGER), key)
    refuses("ES256 for an RSA key", token("rsa", "ES256", signer=STRANGER_EC), key)
    refuses("ES256 for P-384", token("p384", "ES256", signer=STRANGER_EC), key)
    refuses("EdDSA for a curve of NIST", token("p256", "EdDSA", signer=KEYS["ed"]), key)
    refuses("RS256 for a key that is for PS256", token("rsa-pss", "RS256"), key, why="PyJWT was told no algorithm")
    refuses("RS256 signed with PSS", token("rsa", "RS256", signer=None).rsplit(".", 1)[0] + "."
            + token("rsa", "PS256").rsplit(".", 1)[1], "signature is not good")


def forged_keys():
    key = "no key of its 'kid' and 'alg'"
    refuses("a stranger's signature under a known name", token(signer=STRANGER), "signature is not good")
    refuses("a stranger's signature on a curve", token("p256", "ES256", signer=STRANGER_EC), "signature is not good")
    refuses("an unknown name", token(header={"kid": "other"}), key)
    refuses("a name in other letters", token(header={"kid": "RSA"}), key)
    refuses("an empty name", token(header={"kid": ""}), key)
    refuses("a path as a name", token(header={"kid": "../../../../dev/null"}), key)
    refuses("SQL as a name", token(header={"kid": "x' UNION SELECT 'rsa"}), key)
    refuses("a name that is a number", token(header={"kid": 1}), "'kid' is no text")
    refuses("a name that is null", token(header={"kid": None}), "'kid' is no text")
    refuses("no name where several keys fit", token(header={"kid": ...}), key, why="PyJWT was given the key")
    refuses("a key for encryption", token(header={"kid": "for-encryption"}, signer=STRANGER), key,
            why="PyJWT was given the key")
    refuses("an RSA key of 1024 bits", token(header={"kid": "weak"}, signer=WEAK), key, why="PyJWT only warns of it")
    for kid in ("even", "one", "empty", "future"):
        refuses(f"the key '{kid}'", token(header={"kid": kid}), key)
    for kid in ("off-curve", "infinity"):
        refuses(f"the key '{kid}'", token("p256", "ES256", header={"kid": kid}), key)
    refuses("a key that it brings along", token(header={"kid": "mine", "jwk": jwk("mine", STRANGER)}, signer=STRANGER), key)
    refuses("a key at an address it names", token(header={"kid": "mine", "jku": "https://evil.example/keys"},
                                                  signer=STRANGER), key)
    refuses("a certificate at an address it names", token(header={"x5u": "https://evil.example/c"}, signer=STRANGER),
            "signature is not good")


def forged_signatures():
    bad, curve = "signature is not good", token("p256", "ES256")
    head, body, signature = token().split(".")
    other = json.dumps({**CLAIMS, "sub": "repo:evil/site"}).encode()
    refuses("other claims under the same signature", f"{head}.{b64(other)}.{signature}", bad)
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[7] ^= 1
    refuses("one bit changed", f"{head}.{body}.{b64(bytes(raw))}", bad)
    refuses("cut short", f"{head}.{body}.{b64(bytes(raw[:-1]))}", bad)
    refuses("one byte longer", f"{head}.{body}.{b64(bytes(raw) + b'x')}", bad)
    refuses("of zeros, RSA", f"{head}.{body}.{b64(bytes(256))}", bad)
    refuses("of one byte", f"{head}.{body}.{b64(b'0')}", bad)
    first = curve.rsplit(".", 1)[0]
    pair = base64.urlsafe_b64decode(curve.rsplit(".", 1)[1] + "==")
    r, s = int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    refuses("of zeros, curve", f"{first}.{b64(bytes(64))}", bad)
    refuses("r is zero", f"{first}.{b64(bytes(32) + pair[32:])}", bad)
    refuses("s is zero", f"{first}.{b64(pair[:32] + bytes(32))}", bad)
    refuses("r and s are the order", f"{first}.{b64(order.to_bytes(32, 'big') * 2)}", bad)
    refuses("as DER", f"{first}.{b64(utils.encode_dss_signature(r, s))}", bad)
    refuses("of 63 bytes", f"{first}.{b64(pair[:63])}", bad)
    refuses("of 65 bytes", f"{first}.{b64(pair + b'0')}", bad)
    refuses("of 96 bytes", f"{first}.{b64(bytes(16) + pair[:32] + bytes(16) + pair[32:])}", bad)
    refuses("r and s exchanged", f"{first}.{b64(pair[32:] + pair[:32])}", bad)
    edwards = token("ed", "EdDSA")
    raw = base64.urlsafe_b64decode(edwards.rsplit(".", 1)[1] + "==")
    refuses("Ed25519 cut short", f"{edwards.rsplit('.', 1)[0]}.{b64(raw[:63])}", bad)
    refuses("Ed25519 of zeros", f"{edwards.rsplit('.', 1)[0]}.{b64(bytes(64))}", bad)
    large = (int.from_bytes(raw[32:], "little") + 2**252 + 27742317777372353535851937790883648493).to_bytes(32, "little")
    refuses("Ed25519 with a number beyond the order", f"{edwards.rsplit('.', 1)[0]}.{b64(raw[:32] + large)}", bad)


def forged_forms():
    text = token()
    head, body, signature = text.split(".")
    parts, b64u = "three parts", "is not base64url"
    for name, value in (("empty", ""), ("a dot", "."), ("two dots", ".."), ("one part", head), ("two parts", f"{head}.{body}"),
                        ("four parts", f"{text}.x"), ("five parts", f"{text}.x.y"), ("an empty header", f".{body}.{signature}"),
                        ("an empty payload", f"{head}..{signature}"), ("an empty signature", f"{head}.{body}."),
                        ("a dot behind", f"{text}."), ("a dot before", f".{text}")):
        refuses(f"form: {name}", value, "missing" if value == "" else parts)
    refuses("form: the JSON serialization", json.dumps({"protected": head, "payload": body, "signature": signature}), parts)
    refuses("form: padding", f"{head}.{body}.{signature}==", b64u, why="PyJWT takes padding")
    refuses("form: a line end behind", f"{text}\n", b64u, why="Python's decoder passes over it")
    refuses("form: a blank before", f" {text}", b64u, why="Python's decoder passes over it")
    refuses("form: the other alphabet", f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}+/", b64u,
            why="Python's decoder passes over other letters")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twisted = signature[:-1] + letters[letters.index(signature[-1]) | 1]
    refuses("form: unused bits set", f"{head}.{body}.{twisted}", b64u, why="PyJWT passes over them: two spellings of one token")
    refuses("form: a letter too many", f"{head}.{body}.{signature}AAA", b64u, why=None)
    refuses("form: not ASCII", f"{head}.{body}.{signature[:-2]}é", b64u)
    refuses("form: longer than 16 KiB", token(filler="x" * 16_384), "more than 16384 bytes", why="PyJWT has no limit")
    obj = "no JSON object"
    for name, value in (("text", b'"x"'), ("a list", b"[]"), ("a number", b"5"), ("null", b"null"), ("nothing", b" "),
                        ("broken", b'{"alg":"RS256"'), ("something behind", b'{"alg":"RS256","kid":"rsa"}{}')):
        refuses(f"header: {name}", token(head=value), obj)
        refuses(f"payload: {name}", token(payload=value), obj)
    refuses("header: a name twice", token(head=b'{"alg":"none","alg":"RS256","kid":"rsa"}'), obj, why="Python takes the last")
    refuses("payload: a name twice", token(payload=json.dumps(CLAIMS).encode()[:-1] + b',"sub":"evil"}'), obj,
            why="Python takes the last")
    refuses("payload: a name twice, written differently",
            token(payload=json.dumps(CLAIMS).encode()[:-1] + b',"\\u0073ub":"evil"}'), obj, why="Python takes the last")
    refuses("payload: deep", token(payload=json.dumps(CLAIMS).encode()[:-1] + b',"a":' + b"[" * 100 + b"]" * 100 + b"}"),
            obj, why="Python goes deeper")
    refuses("payload: not UTF-8", token(payload=json.dumps(CLAIMS).encode()[:-1] + b',"a":"\xff"}'), obj)
    refuses("payload: NaN", token(payload=json.dumps(CLAIMS).encode()[:-1] + b',"a":NaN}'), obj, why="Python takes NaN")
    refuses("payload: many values", token(payload=json.dumps({**CLAIMS, "a": [0] * 2500}).encode()), obj,
            why="PyJWT has no limit")
    refuses("payload: a byte order mark", token(payload=b"\xef\xbb\xbf" + json.dumps(CLAIMS).encode()), obj,
            why="Python passes over it")


def forged_headers():
    extension = "extension that is not known"
    refuses("crit", token(header={"crit": ["exp"], "exp": 1}), extension)
    refuses("crit, empty", token(header={"crit": []}), extension)
    refuses("crit, null", token(header={"crit": None}), extension, why="PyJWT takes it for absent")
    refuses("b64", token(header={"b64": False}), extension)
    refuses("b64 true", token(header={"b64": True}), extension, why="PyJWT knows it; nobody needs it")
    refuses("zip", token(header={"zip": "DEF"}), extension, why="PyJWT passes over it")
    refuses("enc", token(header={"enc": "A128GCM"}), extension, why="PyJWT passes over it")
    refuses("a token inside", token(header={"cty": "JWT"}), "wraps another token", why="PyJWT passes over it")
    for kind in ("at+jwt", "JOSE", "logout+jwt", "dpop+jwt", ""):
        refuses(f"the type '{kind}'", token(header={"typ": kind}), "type is not 'JWT'", why="PyJWT passes over it")
    refuses("a type that is a number", token(header={"typ": 1}), "'typ' is no text", why="PyJWT passes over it")


def forged_claims():
    no_time = "is no time in Unix seconds"
    refuses("expired", token(exp=NOW - 60), "has expired")
    refuses("expired long ago", token(exp=0), "has expired")
    refuses("not valid yet", token(nbf=NOW + 61), "not valid yet")
    refuses("issued in the future", token(iat=NOW + 61), "issued in the future")
    refuses("without exp", token(exp=...), "no claim 'exp'")
    for value in (str(NOW + 300), None, True, [NOW + 300], {}, -1, 1e300, 10**30, 253402300800):
        refuses(f"exp is {json.dumps(value)}", token(exp=value), no_time, why="PyJWT is laxer about what a time is")
    refuses("exp is 1e400", token(payload=json.dumps(CLAIMS).replace(str(NOW + 300), "1e400").encode()), no_time)
    refuses("nbf is text", token(nbf="soon"), no_time)
    refuses("iat is text", token(iat="now"), no_time)
    refuses("nbf is null", token(nbf=None), no_time, why="PyJWT takes it for absent")
    audience = "audience ('aud') is not"
    for name, value in (("another organization", "urn:pulumi:org:acme-evil"), ("a part of it", "urn:pulumi:org:acm"),
                        ("in capitals", AUDIENCE.upper()), ("empty", ""), ("with a blank", AUDIENCE + " ")):
        refuses(f"aud: {name}", token(aud=value), audience)
        refuses(f"aud in a list: {name}", token(aud=[value]), audience)
    refuses("aud: an empty list", token(aud=[]), audience)
    refuses("aud: absent", token(aud=...), "no claim 'aud'")
    for value in (None, 5, {AUDIENCE: True}):
        refuses(f"aud is {json.dumps(value)}", token(aud=value), "is no text and no list")
    for value in ([5, AUDIENCE], [None, AUDIENCE], [[AUDIENCE]]):
        refuses(f"aud is {json.dumps(value)}", token(aud=value), "something else than texts")
    unknown = "no issuer of its claim 'iss'"
    for name, value in (("another", "https://evil.example"), ("with a slash", ISSUER + "/"), ("in capitals", ISSUER.upper()),
                        ("without TLS", ISSUER.replace("https", "http")), ("longer", ISSUER + ".evil.example"),
                        ("with a blank", ISSUER + " "), ("with NUL", ISSUER + "\0")):
        refuses(f"iss: {name}", token(iss=value), unknown)
    refuses("iss: absent", token(iss=...), "no claim 'iss'")
    refuses("iss: empty", token(iss=""), "no claim 'iss'")
    for value in (None, 5, [ISSUER]):
        refuses(f"iss is {json.dumps(value)}", token(iss=value), "'iss' is no text")


def opinion(case):
    """Whether PyJWT takes it, with the key that the token names and every algorithm that we take."""
    algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
    named = {key["kid"]: key for key in JWKS["keys"] if isinstance(key, dict) and "kty" in key}
    try:
        kid = jwt.get_unverified_header(case["token"]).get("kid")
        if kid is None:
            kid = "ed" if jwt.get_unverified_header(case["token"])["alg"] == "EdDSA" else "rsa"
        key = jwt.PyJWK(named[kid], algorithm=jwt.get_unverified_header(case["token"])["alg"]).key
        jwt.decode(case["token"], key, algorithms=algorithms, audience=AUDIENCE, issuer=ISSUER, leeway=60,
                   options={"require": ["exp", "aud", "iss"]})
        return True
    except Exception:  # whatever it is, it is a refusal
        return False


def main():
    for make in (honest, forged_algorithms, forged_keys, forged_signatures, forged_forms, forged_headers, forged_claims):
        make()
    assert len({case["name"] for case in CASES}) == len(CASES), "two cases have one name"
    surprises = []
    for case in CASES:
        case["pyjwt"] = opinion(case)
        if case["pyjwt"] != (case["problem"] is None) and not case["why"]:
            surprises.append(case["name"])
    assert not surprises, f"PyJWT thinks otherwise of {surprises}"
    good = {name: token(sub=sub) for name, sub in (
        ("main", CLAIMS["sub"]), ("fork", "repo:acme-evil/site:ref:refs/heads/main"), ("empty", ""))}
    good["other organization"] = token(aud="urn:pulumi:org:other")
    good["unknown key"] = token(header={"kid": "rotated"})
    good["another unknown key"] = token(header={"kid": "rotated again"})
    rotated = {"keys": [jwk("rotated", KEYS["rsa"])]}
    private = jwk("rsa", KEYS["rsa"], d="AAAA")
    document = {"issuer": ISSUER, "audience": AUDIENCE, "keys": JWKS, "rotatedKeys": rotated, "privateKey": private,
                "weakKeys": {"keys": [jwk("weak", WEAK)]}, "good": good, "cases": CASES}
    TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(CASES)} tokens, {sum(1 for case in CASES if case['problem'])} of them forged")


main()
