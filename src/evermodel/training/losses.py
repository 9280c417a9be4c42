"""Losses that Keras does not bring."""

from collections.abc import Callable
from typing import Any

from evermodel.core.data import Array

MARGIN = 0.2
Loss = Callable[[Any, Any], Any]


def triplet_semi_hard(y: Any, embeddings: Any) -> Any:
    """The triplet loss with semi-hard negatives of FaceNet (Schroff, Kalenichenko & Philbin 2015).

    y: (n,) or (n, 1) identities; embeddings: (n, d) of length 1. For each pair of one identity, the nearest
    stranger that is further away than the pair's distance; where there is none, the furthest stranger.
    Distances are squared. Returns the mean over the pairs, 0 for a batch without any.
    """
    from keras import ops  # not before a training has fixed what Keras computes with

    identity = ops.reshape(y, (-1,))
    distances = 2 - 2 * ops.matmul(embeddings, ops.transpose(embeddings))
    same = ops.equal(identity[:, None], identity[None, :])
    pairs = ops.cast(same, "float32") - ops.eye(ops.shape(identity)[0])
    far = ops.max(distances) + 1
    strangers = ops.where(same, far, distances)  # (anchor, negative)
    further = strangers[:, None, :] > distances[:, :, None]  # (anchor, positive, negative)
    semi_hard = ops.min(ops.where(further, strangers[:, None, :], far), axis=2)
    furthest = ops.max(ops.where(same, -1.0, distances), axis=1)[:, None]
    negatives = ops.where(semi_hard < far, semi_hard, furthest)
    losses = ops.relu(distances - negatives + MARGIN) * pairs
    return ops.sum(losses) / ops.maximum(ops.sum(pairs), 1.0)


def mean(y: Any, told: Any) -> Any:
    """What a network tells of each row itself, (n, 1), whatever y is; Keras takes the mean over rows."""
    return told


def pinball(quantile: float) -> Loss:
    """The loss that a quantile minimises (Koenker & Bassett 1978), per row, in the unit of the target.

    What lies above the prediction costs `quantile` a unit, what lies below it 1 - `quantile`.
    """

    def loss(y: Any, predicted: Any) -> Any:
        from keras import ops

        above = ops.cast(y, predicted.dtype) - predicted
        return ops.mean(ops.maximum(quantile * above, (quantile - 1) * above), axis=-1)

    return loss


def next_symbol(y: Any, logits: Any) -> Any:
    """The cross-entropy of each symbol of some texts, in nats (n, places); -1 is none, and counts nothing.

    y: (n, places) numbers from 0 on; logits: (n, places, symbols).
    """
    from keras import losses

    return losses.sparse_categorical_crossentropy(y, logits, from_logits=True, ignore_class=-1)


def squared_error_in(units: Array) -> Loss:
    """The mean squared error of several numbers, each in its own unit (k,), per row."""

    def loss(y: Any, predicted: Any) -> Any:
        from keras import ops

        unit = ops.convert_to_tensor(units, predicted.dtype)
        return ops.mean(ops.square((ops.cast(y, predicted.dtype) - predicted) / unit), axis=-1)

    return loss
