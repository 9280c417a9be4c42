"""Learning to draw an image again; the noise is a layer of the architecture."""

from evermodel.training import objective as shared

objective = shared.image
