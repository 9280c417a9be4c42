"""Bag of words and word pairs, weighted by rarity, into logistic regression."""

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


def build(
    input_shape: Sequence[int], target: str, *, ngrams: int = 2, min_documents: int = 10, c: float = 10.0
) -> Pipeline:
    """TF-IDF of n-grams that stand in at least `min_documents` texts, and logistic regression.

    Wang & Manning 2012 ("Baselines and Bigrams") show how strong this is on reviews.
    """
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, ngrams), min_df=min_documents, sublinear_tf=True, dtype=np.float32),
        LogisticRegression(C=c, max_iter=1000),
    )
