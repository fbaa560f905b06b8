"""Who owns, selects and would adopt what."""
