"""Implementations under test: load them, bind their parameters to roles, call them, read what they return."""
