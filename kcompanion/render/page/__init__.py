"""The report as one file of HTML: templates, style and the little script, and the code that fills them in."""
