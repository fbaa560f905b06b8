"""Why an object is as it is: causes found by rules, the deepest first."""
