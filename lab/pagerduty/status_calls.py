"""/status_pages: PagerDuty's own status pages, with posts and their updates."""

from __future__ import annotations

from datetime import UTC, datetime

from lab.pagerduty.calls import Call
from lab.pagerduty.errors import invalid, not_found
from lab.pagerduty.things import Json, Post, new_id

PAGE = "PSTATUS"
KINDS = {
    "statuses": ("investigating", "identified", "monitoring", "resolved"),
    "severities": ("all good", "minor", "major"),
    "impacts": ("operational", "degraded", "partial outage", "outage"),
}
_SINGULAR = {"statuses": "status", "severities": "severity", "impacts": "impact"}


def kind_id(kind: str, description: str) -> str:
    """The id of a status, severity or impact of the practice page."""
    return f"P{_SINGULAR[kind][:3].upper()}{KINDS[kind].index(description) + 1:03d}"


def list_pages(call: Call) -> Json:
    page = {
        "id": PAGE,
        "name": "Practice status",
        "published_at": "2026-01-01T00:00:00Z",
        "type": "status_page",
        "status_page_type": "public",
        "url": f"{call.account.base_url}/web/status_pages/{PAGE}",
    }
    return call.page("status_pages", [page])


def list_kind(call: Call) -> Json:
    """Statuses, severities or impacts that a post update may name."""
    _page(call)
    kind = str(call.path["kind"])
    if kind not in KINDS:
        raise not_found()
    shapes = [
        {
            "id": kind_id(kind, text),
            "type": f"status_page_{_SINGULAR[kind]}",
            "description": text,
            "post_type": "incident",
            "self": f"{call.account.base_url}/status_pages/{PAGE}/{kind}/{kind_id(kind, text)}",
            "status_page": {"id": PAGE, "type": "status_page"},
        }
        for text in KINDS[kind]
    ]
    return call.page(kind, shapes)


def list_services(call: Call) -> Json:
    _page(call)
    shapes = [
        {
            "id": s.id,
            "type": "status_page_service",
            "name": s.name,
            "self": f"{call.account.base_url}/status_pages/{PAGE}/services/{s.id}",
            "status_page": {"id": PAGE, "type": "status_page"},
            "business_service": {"id": f"{s.id}B", "type": "business_service"},
        }
        for s in call.account.company.services
    ]
    return call.page("services", shapes)


def list_posts(call: Call) -> Json:
    _page(call)
    return call.page("posts", [_shape(call, post) for post in call.account.posts.values()])


def create_post(call: Call) -> Json:
    _page(call)
    asked = call.wrapped("post")
    missing = [key for key in ("type", "title", "post_type", "updates", "status_page") if not asked.get(key)]
    if missing:
        raise invalid(*(f"{key} is required" for key in missing))
    post = Post(
        new_id("P"), PAGE, str(asked["title"]), str(asked["post_type"]), asked.get("starts_at"), asked.get("ends_at")
    )
    post.updates = [_update(call, post, one) for one in asked["updates"]]
    call.account.posts[post.id] = post
    call.account.changed()
    return {"post": _shape(call, post)}


def read_post(call: Call) -> Json:
    return {"post": _shape(call, _post(call))}


def change_post(call: Call) -> Json:
    post, asked = _post(call), call.wrapped("post")
    post.title = str(asked.get("title") or post.title)
    post.starts_at, post.ends_at = asked.get("starts_at", post.starts_at), asked.get("ends_at", post.ends_at)
    call.account.changed()
    return {"post": _shape(call, post)}


def list_updates(call: Call) -> Json:
    return call.page("post_updates", _post(call).updates)


def add_update(call: Call) -> Json:
    post = _post(call)
    update = _update(call, post, call.wrapped("post_update"))
    post.updates.append(update)
    call.account.changed()
    return {"post_update": update}


def _update(call: Call, post: Post, asked: Json) -> Json:
    required = ("message", "status", "severity")
    missing = [key for key in required if not asked.get(key)]
    if missing or "impacted_services" not in asked or "notify_subscribers" not in asked:
        raise invalid(*(f"{key} is required" for key in missing or ("impacted_services", "notify_subscribers")))
    id = new_id("P")
    where = f"{call.account.base_url}/status_pages/{PAGE}/posts/{post.id}"
    return {
        "id": id,
        "type": "status_page_post_update",
        "self": f"{where}/post_updates/{id}",
        "post": {"id": post.id, "type": "status_page_post"},
        "message": str(asked["message"]),
        "reviewed_status": "approved",
        "status": asked["status"],
        "severity": asked["severity"],
        "impacted_services": list(asked["impacted_services"]),
        "update_frequency_ms": asked.get("update_frequency_ms"),
        "notify_subscribers": bool(asked["notify_subscribers"]),
        "reported_at": asked.get("reported_at") or _to_the_millisecond(call.account.clock()),
    }


def _to_the_millisecond(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shape(call: Call, post: Post) -> Json:
    where = f"{call.account.base_url}/status_pages/{PAGE}/posts/{post.id}"
    return {
        "id": post.id,
        "type": "status_page_post",
        "self": where,
        "post_type": post.post_type,
        "title": post.title,
        "status_page": {"id": PAGE, "type": "status_page"},
        "starts_at": post.starts_at,
        "ends_at": post.ends_at,
        "updates": [{key: update[key] for key in ("id", "self", "type")} for update in post.updates],
    }


def _page(call: Call) -> None:
    if call.path["id"] != PAGE:
        raise not_found()


def _post(call: Call) -> Post:
    _page(call)
    found = call.account.posts.get(str(call.path["post"]))
    if found is None:
        raise not_found()
    return found
