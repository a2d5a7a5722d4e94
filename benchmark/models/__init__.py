"""Networks and their backdoors."""
