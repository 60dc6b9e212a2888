"""Decrypts encrypted values without any of the server's code, from the description in Sources/Encryption/Envelope.swift alone.

Reads lines of "key owner value", each in hexadecimal, and writes the plaintext of each in hexadecimal, or "refused".
With the argument "vectors" it writes the known answers that ValueCipherTests.swift has.
"""

import hashlib
import hmac
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def derive(key: bytes, salt: bytes) -> tuple[bytes, bytes]:
    extracted = hmac.new(salt, key, hashlib.sha256).digest()
    first = hmac.new(extracted, b"value/v1\x01", hashlib.sha256).digest()
    second = hmac.new(extracted, first + b"value/v1\x02", hashlib.sha256).digest()
    return first, second


def encrypt(key: bytes, owner: bytes, key_id: bytes, salt: bytes, nonce: bytes, plaintext: bytes) -> bytes:
    header = b"\x01\x01" + key_id
    value_key, commitment = derive(key, salt)
    sealed = AESGCM(value_key).encrypt(nonce, plaintext, header + owner)
    return header + salt + nonce + commitment + sealed


def decrypt(key: bytes, owner: bytes, value: bytes) -> bytes | None:
    header, salt, nonce = value[:18], value[18:50], value[50:62]
    value_key, commitment = derive(key, salt)
    if len(value) < 110 or header[:2] != b"\x01\x01" or not hmac.compare_digest(commitment, value[62:94]):
        return None
    try:
        return AESGCM(value_key).decrypt(nonce, value[94:], header + owner)
    except InvalidTag:
        return None


def main() -> None:
    if sys.argv[1:] == ["vectors"]:
        owner = bytes([5]) + b"stack" + bytes.fromhex("01890a5dac96774bbcceb302099a8057")
        key_id = bytes.fromhex("01890a5dac96774bbcceb302099a8058")
        for text in ["", "hunter2", "a" * 100]:
            salt, nonce = bytes(range(32)), bytes(range(32, 44))
            print(encrypt(bytes(range(100, 132)), owner, key_id, salt, nonce, text.encode()).hex())
        return
    for line in sys.stdin:
        key, owner, value = (bytes.fromhex(part) for part in line.split(" "))
        plaintext = decrypt(key, owner, value)
        print("refused" if plaintext is None else "plain " + plaintext.hex())


main()
