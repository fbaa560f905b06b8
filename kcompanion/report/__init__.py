"""What a command says, as a Document: headings, tables and sentences without a language or an output format."""
