"""Learning a number."""

from evermodel.training import objective as shared

objective = shared.number
