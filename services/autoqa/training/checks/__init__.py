"""What `check` looks for in our own labelled data; each file one question, answered without printing."""
