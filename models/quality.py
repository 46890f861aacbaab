"""How often an alert was worth it, as people judged."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.96  # 95 of a hundred


@dataclass(frozen=True, slots=True)
class Quality:
    """Alerts by what people said of them."""

    alerts: int = 0
    real: int = 0
    noise: int = 0

    @property
    def precision(self) -> float | None:
        """The share of judged alerts that were real; None before the first judgement."""
        judged = self.real + self.noise
        return self.real / judged if judged else None

    def interval(self) -> tuple[float, float] | None:
        """Where the precision lies with 95 % confidence (Wilson, "Probable inference", 1927).

        p = (p̂ + z²/2n ± z·√(p̂(1 - p̂)/n + z²/4n²)) / (1 + z²/n)

        >>> [round(edge, 2) for edge in Quality(alerts=12, real=8, noise=2).interval() or ()]
        [0.49, 0.94]
        """
        n, p = self.real + self.noise, self.precision
        if p is None:
            return None
        middle, reach = p + _Z**2 / (2 * n), _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        whole = 1 + _Z**2 / n
        return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)

    def __add__(self, other: "Quality") -> "Quality":
        return Quality(self.alerts + other.alerts, self.real + other.real, self.noise + other.noise)
