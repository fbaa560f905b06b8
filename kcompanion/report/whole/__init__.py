"""The report on a whole cluster: gathered, judged once, laid out in chapters and drawn as a picture."""
