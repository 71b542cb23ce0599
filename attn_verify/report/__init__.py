"""Reports: text and JSON from plain dicts; knows no other room."""
