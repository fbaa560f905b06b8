"""The sentences, English and Korean, by message id. Knows no cluster and no output format."""
