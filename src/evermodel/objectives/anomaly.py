"""Learning to draw normal images again, so that others come out badly."""

from evermodel.training import objective as shared

objective = shared.image
