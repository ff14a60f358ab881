"""The practice company as PagerDuty knows it: people, escalation policies, services, keys.

People who are in the practice room too have the same names there; the infrastructure lead and the CTO are
in PagerDuty alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.home import SERVICES

TOKEN = "practice-pagerduty-token"
READ_ONLY_TOKEN = "practice-read-only-token"
WEBHOOK_SECRET = "practice-webhook-secret"
SENDER = "mayday@practice.example"


@dataclass(frozen=True)
class Person:
    """A user of PagerDuty; `slack` is the user of the practice room."""

    id: str
    name: str
    email: str
    title: str
    slack: str = ""
    phone: str = ""
    role: str = "limited_user"
    zone: str = "Etc/UTC"


@dataclass(frozen=True)
class Policy:
    """An escalation policy; `levels` holds the ids of those who are paged, level by level."""

    id: str
    name: str
    levels: tuple[tuple[str, ...], ...]
    minutes: int = 10


@dataclass(frozen=True)
class Service:
    """A service; `key` is the routing key of its Events API integration."""

    id: str
    name: str
    policy: str
    key: str


@dataclass(frozen=True)
class Priority:
    """How bad an incident is, in the account's own words."""

    id: str
    name: str


PEOPLE = (
    Person("PONCALL", "Olga Nowak", "oncall@practice.example", "On-call engineer", "U0ONCALL", "+49 30 5550101"),
    Person("PBACKUP", "Ada Prewitt", "approver@practice.example", "Backup on-call", "U0APPROVER", "+1 212 5550102"),
    Person("PDBAONE", "Dmitri Banerjee", "dba@practice.example", "Database administrator", "U0DBA", "+44 20 5550103"),
    Person("PINFRAL", "Ines Farah", "infrastructure@practice.example", "Infrastructure lead", "", "+33 1 5550104"),
    Person("PCTOONE", "Carla Teng", "cto@practice.example", "CTO", "", "+1 415 5550105", "admin"),
    Person("PMAYDAY", "Mayday", SENDER, "The bot", "U0MAYDAY"),
)
OPERATIONS = Policy("PEPOPSX", "Operations", (("PONCALL",), ("PBACKUP",), ("PINFRAL",), ("PCTOONE",)))
DATABASES = Policy("PEPDBAX", "Databases", (("PONCALL",), ("PDBAONE",), ("PINFRAL",), ("PCTOONE",)))
CTO_DIRECT = Policy("PEPCTOX", "CTO directly", (("PCTOONE",),))
PRIORITIES = (Priority("PPRIOR1", "P1"), Priority("PPRIOR2", "P2"), Priority("PPRIOR3", "P3"))


def routing_key(name: str) -> str:
    """The key of a service's integration: 32 characters, as PagerDuty's are."""
    return f"practice0key0of0{name}".ljust(32, "0")[:32]


MAYDAY_KEY = routing_key("mayday")
CTO_KEY = routing_key("cto")


def service_id(name: str) -> str:
    return f"PSVC{name.upper()}"


def _services(prefix: str) -> tuple[Service, ...]:
    stack = tuple(
        Service(
            service_id(name), f"{prefix}{name}", (DATABASES if name == "postgres" else OPERATIONS).id, routing_key(name)
        )
        for name in SERVICES
    )
    mayday = Service(service_id("mayday"), "Mayday", OPERATIONS.id, MAYDAY_KEY)
    return (*stack, mayday, Service(service_id("cto"), "CTO directly", CTO_DIRECT.id, CTO_KEY))


@dataclass
class Company:
    """One PagerDuty account. `prefix` is what the containers of the stack begin with."""

    prefix: str = "nself-"
    token: str = TOKEN
    read_only_token: str = READ_ONLY_TOKEN
    people: tuple[Person, ...] = PEOPLE
    policies: tuple[Policy, ...] = (OPERATIONS, DATABASES, CTO_DIRECT)
    priorities: tuple[Priority, ...] = PRIORITIES
    services: tuple[Service, ...] = field(default=())

    def __post_init__(self) -> None:
        self.services = self.services or _services(self.prefix)

    def person(self, wanted: str) -> Person | None:
        """By id, email, or the name before the @ of it."""
        name = wanted.strip().lower()
        known = ((p, (p.id.lower(), p.email.lower(), p.email.split("@")[0])) for p in self.people)
        return next((person for person, names in known if name in names), None)

    def policy(self, id: str) -> Policy | None:
        return next((p for p in self.policies if p.id == id), None)

    def priority(self, wanted: str) -> Priority | None:
        return next((p for p in self.priorities if wanted in (p.id, p.name)), None)

    def service(self, wanted: str) -> Service | None:
        """By id, name, or the name without the prefix."""
        return next((s for s in self.services if wanted in (s.id, s.name, s.name.removeprefix(self.prefix))), None)

    def service_of_key(self, key: str) -> Service | None:
        return next((s for s in self.services if s.key == key), None)
