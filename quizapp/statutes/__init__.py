"""Statutes: the shipped facts about them, their versions, the law reader. Knows nothing of questions."""
