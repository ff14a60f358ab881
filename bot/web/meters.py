"""What the bot itself measures while it works; everything else is counted from the journals."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Histogram

_ACK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)


@dataclass
class Meters:
    """The figures of this process, in a registry of their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    acks: Histogram = field(init=False)

    def __post_init__(self) -> None:
        self.acks = Histogram(
            "mayday_ack_seconds",
            "From a slash command's arrival to its acknowledgement.",
            ("command",),
            buckets=_ACK,
            registry=self.registry,
        )

    def acknowledged(self, command: str, seconds: float) -> None:
        """Count one acknowledgement of a slash command."""
        self.acks.labels(command).observe(seconds)
