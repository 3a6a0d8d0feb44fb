# SPDX-License-Identifier: Apache-2.0
"""What the hub counts of itself, for Prometheus."""

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Figure(NamedTuple):
    """A number that is looked up when metrics are read; figures of one name differ by `kind`."""

    name: str
    text: str
    value: float
    kind: str | None = None


class Metrics:
    """Counters of one hub process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hubkeep_requests",
            "Requests answered, by route and status.",
            ("route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "hubkeep_request_seconds",
            "Time until the answer was complete, by route.",
            ("route",),
            registry=self.registry,
            buckets=_SECONDS,
        )

    def text(self, figures: Iterable[Figure] = ()) -> bytes:
        """Write all metrics in Prometheus' text format, and figures as gauges after them."""
        registry = CollectorRegistry()
        gauges: dict[str, Gauge] = {}
        for name, text, value, kind in figures:
            if name not in gauges:
                labels = () if kind is None else ("kind",)
                gauges[name] = Gauge(name, text, labels, registry=registry)
            (gauges[name] if kind is None else gauges[name].labels(kind)).set(value)
        return generate_latest(self.registry) + generate_latest(registry)
