"""Broken manifests as exercises: the learner mends them with kubectl, and the cluster itself tells whether they did."""
