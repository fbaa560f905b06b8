"""A small made-up cluster around the pure core: for stories, and for tests that look at every order of events."""
