"""Learning classes."""

from evermodel.training import objective as shared

objective = shared.classes
