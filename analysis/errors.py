"""Sentences for people: why numbers that came in cannot be analysed."""


class AnalysisError(ValueError):
    """What the caller gave cannot be analysed; the sentence says what was found and what is allowed."""
