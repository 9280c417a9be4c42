"""Learning to draw an image again."""

from evermodel.training import objective as shared

objective = shared.image
