"""Stand-in for MinIO: the part of the S3 API that backups and uploads use, on files under /data.

It checks the access key that a request names, and not its signature.
"""

from __future__ import annotations

import os
from email.utils import formatdate
from pathlib import Path
from time import gmtime, strftime
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from lab.standins.objects import Objects, Stored
from lab.standins.web import Answer, Request, serve

_KEPT_HEADERS = ("content-type", "cache-control", "x-amz-meta-")

_HARMLESS = {"x-id", "response-content-type"}

_objects = Objects(Path(os.environ.get("DATA", "/data")))
_access_key = os.environ.get("MINIO_ROOT_USER", "minioadmin")


def _xml(root: str, inside: str, status: int = 200) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inside}</{root}>'
    return Answer(status, body.encode(), {"Content-Type": "application/xml"})


def _error(status: int, code: str, message: str) -> Answer:
    body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
    return Answer(status, body.encode(), {"Content-Type": "application/xml"})


def _moment(seconds: float) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))


def _described(stored: Stored) -> dict[str, str]:
    return stored.headers | {
        "ETag": f'"{stored.etag}"',
        "Last-Modified": formatdate(stored.modified, usegmt=True),
        "Content-Length": str(stored.size),
        "Accept-Ranges": "bytes",
    }


def _payload(request: Request) -> bytes:
    """The object's bytes; SDKs may send them in signed chunks: `size;signature`, data, trailer."""
    if "aws-chunked" not in request.headers.get("Content-Encoding", ""):
        return request.body
    pieces, rest = [], request.body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if size == 0:
            break
        pieces.append(rest[:size])
        rest = rest[size + 2 :]
    return b"".join(pieces)


def _list_buckets() -> Answer:
    rows = "".join(
        f"<Bucket><Name>{escape(name)}</Name><CreationDate>{_moment(made)}</CreationDate></Bucket>"
        for name, made in _objects.buckets()
    )
    return _xml("ListAllMyBucketsResult", f"<Owner><ID>lab</ID></Owner><Buckets>{rows}</Buckets>")


def _list_objects(bucket: str, query: dict[str, str]) -> Answer:
    """One page; the continuation token is the last key of the page before."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = query.get("continuation-token") or query.get("start-after") or query.get("marker") or ""
    page = int(query.get("max-keys", "1000"))
    rest = [stored for stored in _objects.list(bucket, prefix) if stored.key > after]
    shown, more = rest[:page], len(rest) > page
    folders = {_folder(stored.key, prefix, delimiter) for stored in shown} - {""}
    contents = "".join(_entry(stored) for stored in shown if not _folder(stored.key, prefix, delimiter))
    common = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders))
    following = f"<NextContinuationToken>{escape(shown[-1].key)}</NextContinuationToken>" if more else ""
    counts = f"<KeyCount>{len(shown)}</KeyCount><MaxKeys>{page}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
    names = f"<Name>{escape(bucket)}</Name><Prefix>{escape(prefix)}</Prefix>"
    return _xml("ListBucketResult", names + counts + following + contents + common)


def _folder(key: str, prefix: str, delimiter: str) -> str:
    if not delimiter or delimiter not in key[len(prefix) :]:
        return ""
    return prefix + key[len(prefix) :].split(delimiter)[0] + delimiter


def _entry(stored: Stored) -> str:
    return (
        f"<Contents><Key>{escape(stored.key)}</Key><LastModified>{_moment(stored.modified)}</LastModified>"
        f'<ETag>"{stored.etag}"</ETag><Size>{stored.size}</Size><StorageClass>STANDARD</StorageClass></Contents>'
    )


def _on_bucket(request: Request, bucket: str) -> Answer:
    if request.method == "PUT":
        _objects.make_bucket(bucket)
        return Answer(200, headers={"Location": f"/{bucket}"})
    if not _objects.has_bucket(bucket):
        return _error(404, "NoSuchBucket", f"There is no bucket {bucket}.")
    if request.method == "DELETE":
        gone = _objects.drop_bucket(bucket)
        return Answer(204) if gone else _error(409, "BucketNotEmpty", "The bucket holds objects.")
    if request.method == "POST":
        return _delete_several(request, bucket)
    if "location" in request.query:
        return _xml("LocationConstraint", "")
    return Answer(200) if request.method == "HEAD" else _list_objects(bucket, request.query)


def _delete_several(request: Request, bucket: str) -> Answer:
    if "delete" not in request.query:
        return _not_here(request)
    keys = [
        element.text or "" for element in ElementTree.fromstring(_payload(request)).iter() if _tag(element) == "Key"
    ]
    for key in keys:
        _objects.delete(bucket, key)
    return _xml("DeleteResult", "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys))


def _tag(element: ElementTree.Element) -> str:
    """The name without its namespace: SDKs send the namespace, people leave it out."""
    return element.tag.rpartition("}")[2]


def _not_here(request: Request) -> Answer:
    # To do something else than what was asked would be worse than to refuse.
    return _error(501, "NotImplemented", f"This stand-in has no {request.method} with {sorted(request.query)}.")


def _on_object(request: Request, bucket: str, key: str) -> Answer:
    if not _objects.has_bucket(bucket):
        return _error(404, "NoSuchBucket", f"There is no bucket {bucket}.")
    if "uploads" in request.query or "uploadId" in request.query:
        return _on_upload(request, bucket, key)
    if request.query.keys() - _HARMLESS or request.method == "POST":
        return _not_here(request)
    if request.method == "PUT":
        return _copy(request, bucket, key) if "x-amz-copy-source" in request.headers else _put(request, bucket, key)
    if request.method == "DELETE":
        _objects.delete(bucket, key)
        return Answer(204)
    return _get(request, bucket, key)


def _copy(request: Request, bucket: str, key: str) -> Answer:
    source, _, name = unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
    found = _objects.look(source, name) if _objects.has_bucket(source) else None
    if found is None:
        return _error(404, "NoSuchKey", f"There is no object {name} in {source}.")
    stored = _objects.put(bucket, key, _objects.read(source, name), found.headers)
    times = f"<LastModified>{_moment(stored.modified)}</LastModified>"
    return _xml("CopyObjectResult", f'{times}<ETag>"{stored.etag}"</ETag>')


def _put(request: Request, bucket: str, key: str) -> Answer:
    if request.headers.get("If-None-Match") == "*" and _objects.look(bucket, key):
        return _error(412, "PreconditionFailed", "The object exists.")
    kept = {key: value for key, value in request.headers.items() if key.lower().startswith(_KEPT_HEADERS)}
    stored = _objects.put(bucket, key, _payload(request), kept)
    return Answer(200, headers={"ETag": f'"{stored.etag}"'})


def _get(request: Request, bucket: str, key: str) -> Answer:
    stored = _objects.look(bucket, key)
    if stored is None:
        return _error(404, "NoSuchKey", f"There is no object {key}.")
    if request.method == "HEAD":
        return Answer(200, headers=_described(stored))
    body, wanted = _objects.read(bucket, key), request.headers.get("Range", "")
    if not wanted.startswith("bytes="):
        return Answer(200, body, _described(stored))
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(body) - int(last))
    part = body[start : int(last) + 1 if first and last else len(body)]
    place = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(body)}", "Content-Length": str(len(part))}
    return Answer(206, part, _described(stored) | place)


def _on_upload(request: Request, bucket: str, key: str) -> Answer:
    """Uploads in parts: begin, parts, complete or abort."""
    upload = request.query.get("uploadId", "")
    names = f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(key)}</Key>"
    if request.method == "POST" and "uploads" in request.query:
        return _xml("InitiateMultipartUploadResult", f"{names}<UploadId>{_objects.begin_upload()}</UploadId>")
    if request.method == "PUT":
        etag = _objects.put_part(upload, int(request.query["partNumber"]), _payload(request))
        return Answer(200, headers={"ETag": f'"{etag}"'})
    if request.method == "POST":
        stored = _objects.finish_upload(upload, bucket, key)
        return _xml("CompleteMultipartUploadResult", f'{names}<ETag>"{stored.etag}"</ETag>')
    _objects.drop_upload(upload)
    return Answer(204)


def handle(request: Request) -> Answer:
    if request.path.startswith("/minio/health/"):
        return Answer(200)
    if f"Credential={_access_key}/" not in request.headers.get("Authorization", ""):
        return _error(403, "AccessDenied", "The request names no access key of this store.")
    bucket, _, key = request.path.lstrip("/").partition("/")
    try:
        if not bucket:
            return _list_buckets()
        return _on_object(request, bucket, key) if key else _on_bucket(request, bucket)
    except (ValueError, KeyError, OSError, ElementTree.ParseError) as problem:
        return _error(400, "InvalidRequest", str(problem))


if __name__ == "__main__":
    serve("minio", 9000, handle)
