"""Learning a series' next value."""

from evermodel.training import objective as shared

objective = shared.number
