"""How an object came to be as it is: its life in steps."""
