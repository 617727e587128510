"""Cleaning of metadata values, shared by the formats. Pure; one file for each kind of value."""
