"""Buckets of the test services' SeaweedFS."""
import datetime
import hashlib
import hmac
import http.client
import os
import urllib.parse

from loop import NotPossible

KEY, SECRET = "cairn-access", "cairn-secret"


def address():
    url = os.environ.get("CAIRN_TEST_SEAWEEDFS")
    if not url:
        raise NotPossible("no SeaweedFS: ./dev services start")
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


def settings(name, endpoint=None):
    """Makes a bucket; a server's settings for it, reached at another address if that is given."""
    make(address(), name)
    return {"PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT":
            "s3://%s?endpoint=%s:%d&disableSSL=true&s3ForcePathStyle=true" % ((name,) + (endpoint or address())),
            "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


def make(address, name):
    """Signs the one request that is needed before a server starts (Signature Version 4)."""
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope, empty = "%s/us-east-1/s3/aws4_request" % stamp[:8], hashlib.sha256(b"").hexdigest()
    host = "%s:%d" % address
    headers = {"host": host, "x-amz-content-sha256": empty, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    lines = "".join("%s:%s\n" % pair for pair in sorted(headers.items()))
    request = "\n".join(["PUT", "/" + name, "", lines, names, empty])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        KEY, scope, names, signature)
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("PUT", "/" + name, headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise AssertionError("no bucket: %d %s" % (answer.status, answer.read()[:300]))
    connection.close()
